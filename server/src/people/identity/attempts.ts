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
// permanent, and attempts by strangers never count against a browser in which the member has signed in before. Each
// purpose has its own allowance, so guesses of passwords never close resets, invites, set-up, passkeys or step-up.

interface Allowance {
  burst: number;
  everyMs: number;
}

export interface Attempt {
  key: string;
  allowance: Allowance;
}

/**
 * For one purpose from one network address. Behind a proxy that is not trusted, the whole company has one address. So
 * the allowance is wide, and it only bounds how many accounts one address can try.
 */
const ofAddress: Allowance = { burst: 100, everyMs: 6_000 };
/** For one account, from all browsers that are unknown to it. */
const ofAccount: Allowance = { burst: 8, everyMs: 60_000 };
/** For one account from one network address: less than the account's, so that one address cannot use up the account's. */
const ofAccountAtAddress: Allowance = { burst: 5, everyMs: 120_000 };
/** For one account, from one known browser. */
const ofDevice: Allowance = { burst: 8, everyMs: 30_000 };
/**
 * For second factors. Six digits can be guessed: a thousand attempts in three days succeed with a chance of 1 in 300 if
 * the password is known.
 */
const ofSecondFactor: Allowance = { burst: 5, everyMs: 300_000 };
/** For passkey challenges. Each visit of the sign-in page creates one, as a row for five minutes. */
const ofPasskeyChallenge: Allowance = { burst: 100, everyMs: 3_000 };
/** For messages of one kind to one address. */
const ofReset: Allowance = { burst: 3, everyMs: 600_000 };

/** For requests of clients for a sign-in: 30 in ten minutes from one network address. */
const ofDeviceRequest: Allowance = { burst: 30, everyMs: 20_000 };
/** For codes of such requests: 10 wrong ones in ten minutes. A code has 34 bits. */
const ofUserCode: Allowance = { burst: 10, everyMs: 60_000 };

/** Purposes of attempts that an address makes. The tokens of links are one purpose for each kind of link. */
export type AddressPurpose =
  | "sign_in"
  | "passkey"
  | "directory"
  | "directory_logout"
  | "reset_request"
  | "reset_token"
  | "invite_token"
  | "set_up_token";

/** Attempts of one network address. For IPv6, the network of one subscriber. */
export function addressAttempt(purpose: AddressPurpose, ipAddress: string | null): Attempt {
  return { key: `address:${purpose}:${networkOf(ipAddress)}`, allowance: ofAddress };
}

/** Attempts of one network address at one account. */
export function accountAtAddressAttempt(email: string, ipAddress: string | null): Attempt {
  const key = `account:${hashed(email)}:${networkOf(ipAddress)}`;
  return { key, allowance: ofAccountAtAddress };
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

/** Guesses in a session: of the password, for step-up and for a new password, or of the first code of a new app. */
export function sessionAttempt(purpose: "password" | "totp", sessionId: string): Attempt {
  return { key: `session:${purpose}:${sessionId}`, allowance: ofDevice };
}

/** Requests of clients for a sign-in. */
export function deviceRequestAttempt(ipAddress: string | null): Attempt {
  return { key: `device_request:${networkOf(ipAddress)}`, allowance: ofDeviceRequest };
}

/** Guesses of user codes, from one network address and by one member. */
export function userCodeAttempts(ipAddress: string | null, memberId: string): Attempt[] {
  const keys = [`user_code:${networkOf(ipAddress)}`, `user_code:${memberId}`];
  return keys.map((key) => ({ key, allowance: ofUserCode }));
}

export function resetAttempt(email: string): Attempt {
  return { key: `reset:${hashed(email)}`, allowance: ofReset };
}

/** Messages that confirm the link of a directory. */
export function linkMailAttempt(email: string): Attempt {
  return { key: `link:${hashed(email)}`, allowance: ofReset };
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
