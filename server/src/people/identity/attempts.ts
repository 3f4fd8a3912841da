import { hash } from "node:crypto";
import ipaddr from "ipaddr.js";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import {
  countFailure as countRow,
  deleteAttempts,
  giveBackAttempt,
  takeAttempt,
} from "./attempts.sql.ts";

// How fast somebody may guess. An allowance of `burst` attempts fills up again by one each `everyMs`; only failures use
// it up, since an attempt that succeeds is given back. It is charged before the attempt is judged, so that many at the
// same moment do not slip by. Nothing here locks anybody out for long: waiting always helps, and what a stranger does
// never counts against a browser in which the person has signed in before.

interface Allowance {
  burst: number;
  everyMs: number;
}

export interface Attempt {
  key: string;
  allowance: Allowance;
}

/** From one address of a network, whatever is tried there. An office may share one. */
const ofAddress: Allowance = { burst: 30, everyMs: 20_000 };
/** On one account, by everybody who is not known to it. */
const ofAccount: Allowance = { burst: 8, everyMs: 60_000 };
/** On its account, from one browser that is known to it. */
const ofDevice: Allowance = { burst: 8, everyMs: 30_000 };
/** Six digits can be guessed: a thousand attempts in three days leave one chance in 300, for who has the password. */
const ofSecondFactor: Allowance = { burst: 5, everyMs: 300_000 };
/** Questions for a passkey: each time somebody opens the page, each is a row for five minutes. */
const ofPasskeyChallenge: Allowance = { burst: 100, everyMs: 3_000 };
/** Messages to one address. */
const ofReset: Allowance = { burst: 3, everyMs: 600_000 };

/** The address an attempt came from; of IPv6 the network of one subscriber. */
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

/** `deviceId` is null for a browser that is not known to the member. */
export function secondFactorAttempt(memberId: string, deviceId: string | null): Attempt {
  return { key: `code:${deviceId ?? memberId}`, allowance: ofSecondFactor };
}

export function sessionAttempt(sessionId: string): Attempt {
  return { key: `session:${sessionId}`, allowance: ofDevice };
}

export function resetAttempt(email: string): Attempt {
  return { key: `reset:${hashed(email)}`, allowance: ofReset };
}

/** Charges one attempt. Throws a 429 that says when there will be another. */
export async function beginAttempt(
  db: Database | Tx,
  nowMs: number,
  attempt: Attempt,
): Promise<void> {
  const waitMs = await takeAttempt(db, { ...attempt.allowance, key: attempt.key, nowMs });
  if (waitMs === null) return;
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  throw new ApiError(
    "too_many_attempts",
    `Too many attempts that failed. Try again in ${inWords(seconds)}.`,
    { "retry-after": String(seconds) },
  );
}

/** True where one attempt could be charged. */
export async function mayAttempt(
  db: Database | Tx,
  nowMs: number,
  attempt: Attempt,
): Promise<boolean> {
  return (await takeAttempt(db, { ...attempt.allowance, key: attempt.key, nowMs })) === null;
}

/** The attempt succeeded: it costs nothing. */
export function forgiveAttempt(db: Database | Tx, attempt: Attempt): Promise<void> {
  return giveBackAttempt(db, { key: attempt.key, everyMs: attempt.allowance.everyMs });
}

/** Forgets the allowances that are full again; called now and then. */
export function forgetOldAttempts(db: Database | Tx, nowMs: number): Promise<void> {
  return deleteAttempts(db, nowMs);
}

/** Addresses of mail in hashes only: people who are not of this organization may have been tried too. */
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

/** Counts a failure to sign in as the member; gives how many there were since the count began, an hour ago at most. */
export function countFailure(
  tx: Tx,
  nowMs: number,
  memberId: string,
): Promise<{ failures: number; since: Date }> {
  return countRow(tx, { key: `failures:${memberId}`, nowMs, windowMs: FAILURES_COUNT_MS });
}
