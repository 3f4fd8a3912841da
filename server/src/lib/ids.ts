import { createHash, randomBytes, randomFillSync } from "node:crypto";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TIME_CHARS = 8; // 62^8 ms: enough for 6,900 years
const RANDOM_CHARS = 16; // 95 bits

export type RandomBytes = (size: number) => Uint8Array;

export const systemRandomBytes: RandomBytes = (size) => randomBytes(size);

const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let poolUsed = POOL_BYTES;

/**
 * Like `systemRandomBytes`, but draws large blocks, because 16 bytes at a time cost 3 µs each. The result is valid
 * until the next call and is never returned again. For ids only: a secret must not be in memory before its use.
 */
const pooledRandomBytes: RandomBytes = (size) => {
  if (size > POOL_BYTES) return systemRandomBytes(size);
  if (poolUsed + size > POOL_BYTES) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  poolUsed += size;
  return pool.subarray(poolUsed - size, poolUsed);
};

/** Creates an id: `prefix` + 24 base62 characters, sortable by their millisecond. */
export function newId(
  prefix: string,
  nowMs: number,
  random: RandomBytes = pooledRandomBytes,
): string {
  return prefix + timeText(nowMs) + randomBase62(RANDOM_CHARS, random);
}

/**
 * Creates an id from its parts: `prefix` + 24 base62 characters of their SHA-256. The same parts always have the same id,
 * also after a failover that lost the row. Not sortable by time.
 */
export function hashId(prefix: string, parts: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  let rest = BigInt(`0x${hash}`);
  let text = "";
  for (let i = 0; i < TIME_CHARS + RANDOM_CHARS; i++, rest /= 62n) {
    text += BASE62.charAt(Number(rest % 62n));
  }
  return prefix + text;
}

let lastTime = { ms: Number.NaN, text: "" };

/** Time part of an id, cached because ids are created in bursts within a millisecond. */
function timeText(nowMs: number): string {
  const ms = Math.floor(nowMs);
  if (lastTime.ms === ms) return lastTime.text;
  let text = "";
  for (let rest = ms, i = 0; i < TIME_CHARS; i++, rest = Math.floor(rest / 62)) {
    text = BASE62.charAt(rest % 62) + text;
  }
  lastTime = { ms, text };
  return text;
}

/** Creates `length` uniform base62 characters. Bytes that would bias the result are discarded. */
export function randomBase62(length: number, random: RandomBytes = systemRandomBytes): string {
  const unbiased = 62 * 4;
  let text = "";
  while (text.length < length) {
    for (const byte of random(length)) {
      if (byte < unbiased && text.length < length) text += BASE62.charAt(byte % 62);
    }
  }
  return text;
}

/**
 * Returns the range of milliseconds of ids that begin with `text`, end exclusive. Null: no id does. `text` is an id or
 * its beginning, including the prefix.
 */
export function findIdTimeRange(
  prefix: string,
  text: string,
): { startMs: number; endMs: number } | null {
  if (prefix.startsWith(text)) return { startMs: 0, endMs: 62 ** TIME_CHARS };
  if (!text.startsWith(prefix) || text.length > prefix.length + TIME_CHARS + RANDOM_CHARS)
    return null;
  const rest = text.slice(prefix.length);
  if (!/^[0-9A-Za-z]+$/.test(rest)) return null;
  const known = rest.slice(0, TIME_CHARS);
  let value = 0;
  for (const char of known) value = value * 62 + BASE62.indexOf(char);
  const lengthMs = 62 ** (TIME_CHARS - known.length);
  return { startMs: value * lengthMs, endMs: (value + 1) * lengthMs };
}
