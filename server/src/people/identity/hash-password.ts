import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { assert } from "#src/lib/assert.ts";
import { loadCommonWords } from "./common-words.ts";
import { type Person, passwordFault } from "./password-rules.rule.ts";

// A password hash takes 0.3 s of CPU time and 128 MB, on the few threads that also sync the journal. So one hash runs at
// a time, and queued ones hold no database connection. Browsers that the member has used before are first in the queue.

const MAX_RUNNING = 1;
/** Maximum in each queue. */
const MAX_WAITING = 50;
const KEY_BYTES = 64;
const SALT_BYTES = 16;
/** A limit of scrypt, not the used memory. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;
/** OWASP's minimum for scrypt: N = 2^17, r = 8, p = 1. */
const COST = 131_072;
const BLOCK_SIZE = 8;
/** Parameters of hashes without parameters, by better-auth. */
const earlier: Parameters = { N: 16_384, r: 16, p: 1 };

interface Parameters {
  N: number;
  r: number;
  p: number;
}

export interface PasswordHashing {
  hash(password: string): Promise<string>;
  verify(of: { hash: string; password: string }): Promise<boolean>;
  /** Returns whether a hash has other parameters than new ones. */
  isOutdated(hash: string): boolean;
}

let running = 0;
const waitingKnown: (() => void)[] = [];
const waitingUnknown: (() => void)[] = [];

/**
 * Runs password hashing or comparison when its turn comes. `isKnown`: by a browser in which the member has signed in
 * before. Throws a 503 if the queue is full.
 */
export async function runPasswordWork<Result>(
  work: () => Promise<Result>,
  { isKnown = false } = {},
): Promise<Result> {
  if (running >= MAX_RUNNING) {
    const waiting = isKnown ? waitingKnown : waitingUnknown;
    if (waiting.length >= MAX_WAITING) {
      throw new ApiError(
        "sign_in_overloaded",
        "Too many sign-ins at the same time. Try again in a few seconds.",
        { "retry-after": "3" },
      );
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running++;
  }
  try {
    return await work();
  } finally {
    // The next one in the queue takes over this turn.
    const next = waitingKnown.shift() ?? waitingUnknown.shift();
    if (next) next();
    else running--;
  }
}

/**
 * Hashes a new password. Call it before a transaction begins. Throws a 400 that describes the fault of a password that
 * is easy to guess.
 */
export async function hashNewPassword(
  password: string,
  of: Person,
  passwordCost: number | undefined,
): Promise<string> {
  await checkNewPassword(password, of);
  return hashPassword({ passwordCost }, password);
}

/** Hashes a checked password. Call it before a transaction begins. */
export function hashPassword(
  deps: { passwordCost?: number | undefined },
  password: string,
  options?: { isKnown: boolean },
): Promise<string> {
  const { hash } = makePasswordHashing(deps.passwordCost);
  return runPasswordWork(() => hash(password), options);
}

/**
 * Hashing with scrypt. Each hash has its parameters. `passwordCost` replaces N. Verifies hashes of earlier versions too.
 */
export function makePasswordHashing(passwordCost: number | undefined): PasswordHashing {
  const current: Parameters = { N: passwordCost ?? COST, r: BLOCK_SIZE, p: 1 };
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES).toString("hex");
      const key = await derive(password, salt, current);
      return `${formatParameters(current)}${salt}:${key.toString("hex")}`;
    },
    async verify({ hash, password }) {
      const { parameters, salt, key } = parseHash(hash);
      // An earlier hash takes the time of a new one, so that response times match those of unknown addresses.
      const isEarlier = formatParameters(parameters) !== formatParameters(current);
      const [derived] = await Promise.all([
        derive(password, salt, parameters),
        isEarlier && derive(password, salt, current),
      ]);
      return key.length === KEY_BYTES && timingSafeEqual(derived, key);
    },
    isOutdated: (hash) =>
      formatParameters(parseHash(hash).parameters) !== formatParameters(current),
  };
}

const deriveKey = promisify<string, string, number, object, Buffer>(scrypt);

function derive(password: string, salt: string, parameters: Parameters): Promise<Buffer> {
  const options = { ...parameters, maxmem: MAX_MEMORY_BYTES };
  return deriveKey(password.normalize("NFKC"), salt, KEY_BYTES, options);
}

function formatParameters({ N, r, p }: Parameters): string {
  return `scrypt$${N}$${r}$${p}$`;
}

const HASH = /^(?:scrypt\$(\d{1,6})\$(\d{1,2})\$(\d{1,2})\$)?([0-9a-f]+):([0-9a-f]+)$/;

function parseHash(hash: string): { parameters: Parameters; salt: string; key: Buffer } {
  const parts = HASH.exec(hash);
  assert(parts, "a stored password is a hash");
  const [, N, r, p, salt = "", key = ""] = parts;
  const parameters = N === undefined ? earlier : { N: Number(N), r: Number(r), p: Number(p) };
  return { parameters, salt, key: Buffer.from(key, "hex") };
}

/** Throws a 400 that describes the fault of a password that is easy to guess. */
export async function checkNewPassword(password: string, of: Person): Promise<void> {
  const fault = passwordFault(password, of, await loadCommonWords());
  if (fault !== null) throw refuseField("password", `${fault}`);
}
