import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { type Person, passwordFault } from "./password-rules.rule.ts";

// A password hash takes 60 ms of CPU time and 32 MB, on the few threads that also sync the journal. So only a few
// hashes run at a time, and queued ones hold no database connection.

const MAX_RUNNING = 2;
const MAX_WAITING = 100;
const KEY_BYTES = 64;
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

export interface PasswordHashing {
  hash(password: string): Promise<string>;
  verify(of: { hash: string; password: string }): Promise<boolean>;
}

let running = 0;
const waiting: (() => void)[] = [];

/** Runs password hashing or comparison when its turn comes. Throws a 503 if the queue is full. */
export async function runPasswordWork<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= MAX_RUNNING) {
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
    const next = waiting.shift();
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
  checkNewPassword(password, of);
  const { hash } = await makePasswordHashing(passwordCost);
  return runPasswordWork(() => hash(password));
}

/** Password hashing of better-auth (scrypt, N = 16384, r = 16), or the same hash with another `passwordCost` as N. */
export async function makePasswordHashing(
  passwordCost: number | undefined,
): Promise<PasswordHashing> {
  if (passwordCost === undefined) {
    const { hashPassword, verifyPassword } = await import("better-auth/crypto");
    return { hash: hashPassword, verify: verifyPassword };
  }
  const deriveKey = promisify<string, string, number, object, Buffer>(scrypt);
  const options = { N: passwordCost, r: 16, p: 1, maxmem: MAX_MEMORY_BYTES };
  const derive = (password: string, salt: string) =>
    deriveKey(password.normalize("NFKC"), salt, KEY_BYTES, options);
  return {
    async hash(password) {
      const salt = randomBytes(16).toString("hex");
      return `${salt}:${(await derive(password, salt)).toString("hex")}`;
    },
    async verify({ hash, password }) {
      const [salt = "", key = ""] = hash.split(":");
      const stored = Buffer.from(key, "hex");
      return stored.length === KEY_BYTES && timingSafeEqual(await derive(password, salt), stored);
    },
  };
}

/** Throws a 400 that describes the fault of a password that is easy to guess. */
export function checkNewPassword(password: string, of: Person): void {
  const fault = passwordFault(password, of);
  if (fault !== null) throw refuseField("password", `${fault}`);
}
