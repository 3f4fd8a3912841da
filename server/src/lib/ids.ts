import { randomBytes } from "node:crypto";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TIME_CHARS = 8; // 62^8 ms: good for 6,900 years
const RANDOM_CHARS = 16; // 95 bits

export type RandomBytes = (size: number) => Uint8Array;

export const systemRandomBytes: RandomBytes = (size) => randomBytes(size);

/** `prefix` + 24 base62 characters, sortable by the millisecond they were made in. */
export function newId(
  prefix: string,
  nowMs: number,
  random: RandomBytes = systemRandomBytes,
): string {
  let time = "";
  for (let rest = nowMs, i = 0; i < TIME_CHARS; i++, rest = Math.floor(rest / 62)) {
    time = BASE62.charAt(rest % 62) + time;
  }
  return prefix + time + randomBase62(RANDOM_CHARS, random);
}

/** `length` uniform base62 characters; bytes that would bias the result are thrown away. */
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
