import type { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import { formatPlural } from "#src/lib/format-plural.ts";

const DAY_MS = 86_400_000;
const MAX_LIFETIME_MS = 100 * 365 * DAY_MS;
/** Who asks for exactly the longest lifetime counts it from a clock of its own. */
const CLOCK_LEEWAY_MS = 3_600_000;

export interface KeyLifetime {
  /** From when a lifetime counts, milliseconds since the epoch: the making of the secret. */
  fromMs: number;
  nowMs: number;
  /** The organization's longest lifetime of a key, in days, or null where there is none. */
  maxDays: number | null;
}

/**
 * When a key expires, in milliseconds since the epoch, or null for never. `asked` is NaN where it is no time at all;
 * undefined, where nothing was asked for, is as late as the organization allows. Throws a 400 for a time that has passed
 * (such a key would never work), and for one that the organization's longest lifetime forbids.
 */
export function expiryOfKey(
  asked: number | null | undefined,
  lifetime: KeyLifetime,
): number | null {
  const { nowMs, maxDays } = lifetime;
  const latestMs = latestExpiry(lifetime);
  if (asked === undefined) return latestMs;
  if (asked === null) {
    if (latestMs === null || maxDays === null) return null;
    throw tooLate(maxDays, latestMs);
  }
  if (!(asked > nowMs)) {
    throw refuseField("expires_at", "expected a time in the future.");
  }
  if (asked > nowMs + MAX_LIFETIME_MS) {
    throw refuseField(
      "expires_at",
      "expected a time within 100 years. Omit it for a key that never expires.",
    );
  }
  if (latestMs === null || maxDays === null) return Math.floor(asked);
  if (asked > latestMs + CLOCK_LEEWAY_MS) throw tooLate(maxDays, latestMs);
  return Math.floor(Math.min(asked, latestMs));
}

/**
 * Expiry of a key that gets a new secret and keeps what it has: never later than before, and as the organization's longest
 * lifetime has it from now on.
 */
export function keptExpiry(expiresAtMs: number | null, lifetime: KeyLifetime): number | null {
  const latestMs = latestExpiry(lifetime);
  if (latestMs === null || expiresAtMs === null) return latestMs ?? expiresAtMs;
  return Math.min(expiresAtMs, latestMs);
}

/** The last moment of a key whose secret was made at `fromMs`, or null where the organization sets none. */
export function latestExpiry({ fromMs, maxDays }: Omit<KeyLifetime, "nowMs">): number | null {
  return maxDays === null ? null : fromMs + maxDays * DAY_MS;
}

function tooLate(maxDays: number, latestMs: number): ApiError {
  return refuseField(
    "expires_at",
    `keys of this organization live ${formatPlural(maxDays, "day")} at most: expected a time until ` +
      `${isoFromMs(latestMs)}. Omit it for the latest one.`,
  );
}
