import { ApiError } from "./api-error.ts";

const MAX_LIFETIME_MS = 100 * 365 * 86_400_000;

/**
 * When a new key expires, in milliseconds since the epoch, or null for never. `expiresAtMs` is what was asked for, NaN
 * where that is no time at all. Throws a 400 for a time that has passed: such a key would never work.
 */
export function expiryOfNewKey(expiresAtMs: number | null, nowMs: number): number | null {
  if (expiresAtMs === null) return null;
  if (!(expiresAtMs > nowMs)) {
    throw new ApiError("invalid_request", "expires_at: expected a time in the future.");
  }
  if (expiresAtMs > nowMs + MAX_LIFETIME_MS) {
    throw new ApiError(
      "invalid_request",
      "expires_at: expected a time within 100 years. Omit it for a key that never expires.",
    );
  }
  return Math.floor(expiresAtMs);
}
