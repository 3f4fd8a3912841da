import { ApiError } from "#src/domain/api-error.ts";
import { isInRanges } from "./address-ranges.ts";
import type { FoundKey } from "./api-key-lookup.sql.ts";

/** Reasons for clients with the secret of a stopped key, the same in both APIs. */
const keyWords = {
  deactivated:
    "The owner of this key has been deactivated, so the key is disabled until the owner is active again.",
  removed: "The owner of this key has left the organization, so the key is disabled permanently.",
  outside: "The owner of this key has no access to its workspace any more, so the key is disabled.",
  workspaceArchived: "The workspace of this API key is archived, so its keys are disabled.",
  archived: "This API key is archived permanently. Create another one.",
  inactive:
    "This API key is disabled (inactive). An admin of the workspace can set it to active again.",
} as const;

/** The same for a person at a laptop, who has no secret. */
const laptopWords: Readonly<Record<keyof typeof keyWords, string>> = {
  deactivated: "Your account is deactivated. An administrator can activate it again.",
  removed: "Your account was removed from the organization.",
  outside:
    "You no longer have access to the workspace of this laptop. Sign in again with /login, and choose another one.",
  workspaceArchived:
    "The workspace of this laptop is archived. Sign in again with /login, and choose another one.",
  archived:
    "Your Claude Code key in this workspace was revoked. Sign in again with /login for a new one.",
  inactive:
    "Your Claude Code key in this workspace is disabled. An admin of the workspace can enable it.",
};

/**
 * Throws a 401 with the reason why the key or this secret does not work at `nowMs`, because the client has the secret.
 * `nowMs`: milliseconds since the epoch on the database's clock. Throws a 403 if the key must not be used from `address`, where
 * null is unknown.
 */
export function checkKeyActive(key: FoundKey, nowMs: number, address: () => string | null): void {
  const refusal = refuseKey(key, nowMs);
  if (refusal !== null) throw refusal;
  if (key.allowedAddresses === null) return;
  const from = address();
  if (isInRanges(key.allowedAddresses, from)) return;
  // The allowed addresses are not named, because a thief could use them.
  throw new ApiError(
    "address_not_allowed",
    `This API key cannot be used from ${from ?? "an unknown address"}, because it is restricted to certain ` +
      "addresses. An admin of the workspace can change its allowed_addresses.",
  );
}

function refuseKey(key: FoundKey, nowMs: number): ApiError | null {
  // Checked first, because no other field of an unsigned row is true.
  if (key.isUnsigned) return refuseUnsigned("API key");
  const words = key.purpose === "claude_code" ? laptopWords : keyWords;
  // Checked first, because archiving a workspace archives its keys.
  if (key.isWorkspaceArchived) {
    return new ApiError("api_key_workspace_archived", words.workspaceArchived);
  }
  // Checked before the status, because removing a member archives its keys.
  if (key.ownerState !== null && key.ownerState !== "active") {
    return new ApiError("api_key_owner_inactive", words[key.ownerState]);
  }
  if (key.status === "archived") return new ApiError("api_key_archived", words.archived);
  if (key.isHeld) return new ApiError("api_key_unconfirmed", HELD);
  if (key.status === "inactive") return new ApiError("api_key_disabled", words.inactive);
  if (key.purpose === "playground") return refusePlayground(key, nowMs);
  if (key.expiresAtMs !== null && nowMs >= key.expiresAtMs) {
    const expiredAt = new Date(key.expiresAtMs).toISOString();
    return new ApiError(
      "api_key_expired",
      `This API key expired at ${expiredAt}. Create another one.`,
    );
  }
  if (key.secretValidUntilMs !== null && nowMs >= key.secretValidUntilMs) {
    if (key.purpose === "claude_code") return refuseEndedLaptop();
    const stoppedAt = new Date(key.secretValidUntilMs).toISOString();
    return new ApiError(
      "api_key_rotated",
      `This API key was rotated, and this secret expired at ${stoppedAt}. Use its new secret.`,
    );
  }
  return null;
}

/** Reason for a key whose row was written without this server. */
export function refuseUnsigned(kind: "API key" | "admin key"): ApiError {
  return new ApiError(
    "api_key_unsigned",
    `This ${kind} was created or changed in the database without this server, so it is refused. ` +
      "The operator of the server finds the change with `./bursar audit verify`.",
  );
}

const HELD =
  "This API key was restored from a backup and waits for confirmation, because it may have been revoked since. " +
  "The operator of the server confirms it with `./bursar restore confirm-keys`, or an admin sets it to active again.";

/** Reason for a laptop that ended, or that the database does not know. */
export function refuseEndedLaptop(): ApiError {
  return new ApiError(
    "laptop_ended",
    "This sign-in of Claude Code has ended. Sign in again with /login.",
  );
}

/** Reason for a playground key. Each session has its own secret, which always expires. */
function refusePlayground({ secretValidUntilMs }: FoundKey, nowMs: number): ApiError | null {
  if (secretValidUntilMs !== null && nowMs < secretValidUntilMs) return null;
  return new ApiError(
    "playground_session_ended",
    "This session of the playground has ended. Open the playground again to start another one.",
  );
}
