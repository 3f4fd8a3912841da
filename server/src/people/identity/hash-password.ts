import { ApiError } from "#src/domain/api-error.ts";
import { type Person, passwordFault } from "./password-rules.rule.ts";

// A hash of a password takes 60 ms of a processor and 32 MB, on the same few threads that sync the journal. However many
// people sign in at once, few are hashed at a time, and no connection to the database is held by those who wait.

const MAX_RUNNING = 2;
const MAX_WAITING = 100;

let running = 0;
const waiting: (() => void)[] = [];

/** Runs work that hashes or compares passwords, when its turn comes. Throws a 503 where too many wait already. */
export async function inPasswordTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) {
      throw new ApiError(
        "unavailable",
        "Too many people are signing in at this moment. Try again in a few seconds.",
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
    // Whoever comes next takes this turn over.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/**
 * The hash of a new password, to be made before a transaction begins. Throws a 400 that says what is wrong with a
 * password that is too easy to guess.
 */
export async function hashNewPassword(password: string, of: Person): Promise<string> {
  checkNewPassword(password, of);
  const { hashPassword } = await import("better-auth/crypto");
  return inPasswordTurn(() => hashPassword(password));
}

/** Throws a 400 that says what is wrong with a password that is too easy to guess. */
export function checkNewPassword(password: string, of: Person): void {
  const fault = passwordFault(password, of);
  if (fault !== null) throw new ApiError("invalid_request", `password: ${fault}`);
}
