import type { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import { formatPlural } from "#src/lib/format-plural.ts";

const DAY_MS = 86_400_000;
const MAX_LIFETIME_MS = 100 * 365 * DAY_MS;
/** Allowed difference of clocks: a client computes the maximum lifetime by its own clock. */
const CLOCK_LEEWAY_MS = 3_600_000;

export interface KeyLifetime {
  /** Creation of the secret, where its lifetime starts. Milliseconds since the epoch. */
  fromMs: number;
  nowMs: number;
  /** The organization's maximum lifetime of a key, in days. Null: no maximum. */
  maxDays: number | null;
}

/**
 * Returns the expiry of a key in milliseconds since the epoch. Null: never. A `requestedMs` of undefined becomes the
 * latest allowed time, and NaN stands for an invalid time. Throws a 400 for a time that is invalid, in the past, or
 * beyond the organization's maximum lifetime.
 */
export function decideExpiry(
  requestedMs: number | null | undefined,
  lifetime: KeyLifetime,
): number | null {
  const { nowMs, maxDays } = lifetime;
  const latestMs = computeLatestExpiry(lifetime);
  if (requestedMs === undefined) return latestMs;
  if (requestedMs === null) {
    if (latestMs === null || maxDays === null) return null;
    throw refuseLateExpiry(maxDays, latestMs);
  }
  if (!(requestedMs > nowMs)) {
    throw refuseField("expires_at", "expected a time in the future.");
  }
  if (requestedMs > nowMs + MAX_LIFETIME_MS) {
    throw refuseField(
      "expires_at",
      "expected a time within 100 years. Omit it for a key that never expires.",
    );
  }
  if (latestMs === null || maxDays === null) return Math.floor(requestedMs);
  if (requestedMs > latestMs + CLOCK_LEEWAY_MS) throw refuseLateExpiry(maxDays, latestMs);
  return Math.floor(Math.min(requestedMs, latestMs));
}

/** Expiry of a rotated key: the previous one, but not beyond the maximum lifetime of the new secret. */
export function capExpiry(expiresAtMs: number | null, lifetime: KeyLifetime): number | null {
  const latestMs = computeLatestExpiry(lifetime);
  if (latestMs === null || expiresAtMs === null) return latestMs ?? expiresAtMs;
  return Math.min(expiresAtMs, latestMs);
}

/** Latest expiry of a secret created at `fromMs`. Null without a maximum lifetime. */
export function computeLatestExpiry({
  fromMs,
  maxDays,
}: Omit<KeyLifetime, "nowMs">): number | null {
  return maxDays === null ? null : fromMs + maxDays * DAY_MS;
}

function refuseLateExpiry(maxDays: number, latestMs: number): ApiError {
  return refuseField(
    "expires_at",
    `keys of this organization expire within ${formatPlural(maxDays, "day")}: expected a time up to ` +
      `${isoFromMs(latestMs)}. Omit it for the latest time.`,
  );
}
