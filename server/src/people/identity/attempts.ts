import { hash } from "node:crypto";
import ipaddr from "ipaddr.js";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import {
  chargeAttempt,
  countFailure as countRow,
  deleteAttempts,
  refundCharge,
} from "./attempts.sql.ts";

// Rate limits on guesses. An allowance of `burst` attempts refills by one each `everyMs`. An attempt is charged before
// it is checked, so that concurrent attempts cannot exceed the limit. A successful attempt is refunded. No lockout is
// permanent, and attempts by strangers never count against a browser in which the member has signed in before.

interface Allowance {
  burst: number;
  everyMs: number;
}

export interface Attempt {
  key: string;
  allowance: Allowance;
}

/** For one network address, whatever is tried there. An office may share one. */
const ofAddress: Allowance = { burst: 30, everyMs: 20_000 };
/** For one account, from all browsers that are unknown to it. */
const ofAccount: Allowance = { burst: 8, everyMs: 60_000 };
/** For one account, from one known browser. */
const ofDevice: Allowance = { burst: 8, everyMs: 30_000 };
/**
 * For second factors. Six digits can be guessed: a thousand attempts in three days succeed with a chance of 1 in 300 if
 * the password is known.
 */
const ofSecondFactor: Allowance = { burst: 5, everyMs: 300_000 };
/** For passkey challenges. Each visit of the sign-in page creates one, as a row for five minutes. */
const ofPasskeyChallenge: Allowance = { burst: 100, everyMs: 3_000 };
/** For reset messages to one address. */
const ofReset: Allowance = { burst: 3, everyMs: 600_000 };

/** The network address of an attempt. For IPv6, the network of one subscriber. */
export function addressAttempt(ipAddress: string | null): Attempt {
  return { key: `address:${networkOf(ipAddress)}`, allowance: ofAddress };
}

export function passkeyChallengeAttempt(ipAddress: string | null): Attempt {
  return { key: `passkey:${networkOf(ipAddress)}`, allowance: ofPasskeyChallenge };
}

export function accountAttempt(email: string): Attempt {
  return { key: `account:${hashed(email)}`, allowance: ofAccount };
}

export function deviceAttempt(deviceId: string): Attempt {
  return { key: `device:${deviceId}`, allowance: ofDevice };
}

/** `deviceId` is null for an unknown browser. */
export function secondFactorAttempt(memberId: string, deviceId: string | null): Attempt {
  return { key: `code:${deviceId ?? memberId}`, allowance: ofSecondFactor };
}

export function sessionAttempt(sessionId: string): Attempt {
  return { key: `session:${sessionId}`, allowance: ofDevice };
}

export function resetAttempt(email: string): Attempt {
  return { key: `reset:${hashed(email)}`, allowance: ofReset };
}

/** Charges one attempt. Throws a 429 with the time until the next one. */
export async function beginAttempt(
  db: Database | Tx,
  nowMs: number,
  attempt: Attempt,
): Promise<void> {
  const waitMs = await chargeAttempt(db, { ...attempt.allowance, key: attempt.key, nowMs });
  if (waitMs === null) return;
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  throw new ApiError(
    "too_many_attempts",
    `Too many failed attempts. Try again in ${inWords(seconds)}.`,
    { "retry-after": String(seconds) },
  );
}

/** Returns whether one attempt could be charged. */
export async function tryAttempt(
  db: Database | Tx,
  nowMs: number,
  attempt: Attempt,
): Promise<boolean> {
  return (await chargeAttempt(db, { ...attempt.allowance, key: attempt.key, nowMs })) === null;
}

/** Refunds an attempt that succeeded. */
export function refundAttempt(db: Database | Tx, attempt: Attempt): Promise<void> {
  return refundCharge(db, { key: attempt.key, everyMs: attempt.allowance.everyMs });
}

/** Deletes allowances that are full again. Runs now and then. */
export function deleteOldAttempts(db: Database | Tx, nowMs: number): Promise<void> {
  return deleteAttempts(db, nowMs);
}

/** Stores e-mail addresses as hashes only, because strangers' addresses may be among them. */
function hashed(email: string): string {
  return hash("sha256", email.normalize("NFC").toLowerCase(), "hex");
}

function networkOf(ipAddress: string | null): string {
  if (ipAddress === null || !ipaddr.isValid(ipAddress)) return "unknown";
  const address = ipaddr.process(ipAddress);
  if (address.kind() === "ipv4") return address.toString();
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}

function inWords(seconds: number): string {
  if (seconds < 90) return formatPlural(seconds, "second");
  return `${Math.ceil(seconds / 60)} minutes`;
}

const FAILURES_COUNT_MS = 3_600_000;

/** Counts a failed sign-in of the member. Returns the number since the count began, at most an hour ago. */
export function countFailure(
  tx: Tx,
  nowMs: number,
  memberId: string,
): Promise<{ failures: number; since: Date }> {
  return countRow(tx, { key: `failures:${memberId}`, nowMs, windowMs: FAILURES_COUNT_MS });
}
