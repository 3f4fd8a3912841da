import { ApiError } from "#src/domain/api-error.ts";
import { isInRanges } from "./address-ranges.ts";
import type { FoundKey } from "./api-key-lookup.sql.ts";

/** For who holds the secret of a key that works no more. The same on both surfaces. */
const byOwner = {
  deactivated:
    "The person whose key this is has been deactivated, so the key has stopped. It works again once the person is active.",
  removed:
    "The person whose key this is has left the organization, so the key has stopped and will not work again.",
  outside:
    "The person whose key this is has no access to its workspace any more, so the key has stopped.",
} as const;

/**
 * Throws a 401 that says why the key, or this secret of it, does not work at `nowMs` (milliseconds since the epoch on the
 * database's clock), since who asks holds the secret; and a 403 where it may not be used from `address`. Null is an
 * address that is not known.
 */
export function checkKeyWorks(key: FoundKey, nowMs: number, address: () => string | null): void {
  const refusal = refuseKey(key, nowMs);
  if (refusal !== null) throw refusal;
  if (key.allowedAddresses === null) return;
  const from = address();
  if (isInRanges(key.allowedAddresses, from)) return;
  // Not which ones are allowed: a thief would learn where to go.
  throw new ApiError(
    "address_not_allowed",
    `This API key may not be used from ${from ?? "an address that is not known"}: it is restricted to certain ` +
      "addresses. Whoever administers the workspace can change its allowed_addresses.",
  );
}

function refuseKey(key: FoundKey, nowMs: number): ApiError | null {
  // First, because archiving a workspace archives its keys with it.
  if (key.isWorkspaceArchived) {
    return new ApiError(
      "api_key_workspace_archived",
      "The workspace of this API key is archived, so its keys have stopped.",
    );
  }
  // Before the status, because removing a person archives its keys.
  if (key.ownerState !== null && key.ownerState !== "active") {
    return new ApiError("api_key_owner_inactive", byOwner[key.ownerState]);
  }
  if (key.status === "archived") {
    return new ApiError(
      "api_key_archived",
      "This API key is archived and will not work again: create another one.",
    );
  }
  if (key.isHeld) return new ApiError("api_key_unconfirmed", HELD);
  if (key.status === "inactive") {
    return new ApiError(
      "api_key_disabled",
      "This API key is disabled (inactive): whoever administers the workspace can set it to active again.",
    );
  }
  if (key.purpose === "playground") return refusePlayground(key, nowMs);
  if (key.expiresAtMs !== null && nowMs >= key.expiresAtMs) {
    const expiredAt = new Date(key.expiresAtMs).toISOString();
    return new ApiError(
      "api_key_expired",
      `This API key expired at ${expiredAt}: create another one.`,
    );
  }
  if (key.secretValidUntilMs !== null && nowMs >= key.secretValidUntilMs) {
    const stoppedAt = new Date(key.secretValidUntilMs).toISOString();
    return new ApiError(
      "api_key_rotated",
      `This API key was rotated, and this secret of it stopped at ${stoppedAt}: use its new secret.`,
    );
  }
  return null;
}

const HELD =
  "This API key came back with a restored backup and waits to be confirmed, since it may have been ended after that: " +
  "whoever runs the server confirms it with `./bursar restore confirm-keys`, or sets it to active again.";

/** Each session of the playground has a secret of its own, which always has an end. */
function refusePlayground({ secretValidUntilMs }: FoundKey, nowMs: number): ApiError | null {
  if (secretValidUntilMs !== null && nowMs < secretValidUntilMs) return null;
  return new ApiError(
    "playground_session_ended",
    "This session of the playground has ended: open the playground again to start another one.",
  );
}
