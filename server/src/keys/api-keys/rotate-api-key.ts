import type { Call } from "#src/access/call.ts";
import { apiKeyNotFound, refuseArchivedKey } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { type ApiKeyRow, findApiKeyForUpdate, updateApiKey } from "./api-keys.sql.ts";
import { parseTime, refuseExpiredKey, toDate } from "./api-keys.ts";
import { auditOf } from "./audit-of-key.ts";
import { type ApiKeyView, describeApiKey, statusOf } from "./describe-api-keys.ts";
import { capExpiry, decideExpiry, type KeyLifetime } from "./key-expiry.rule.ts";
import { checkCanChangeKey, checkCanGrantKey, scopeOf } from "./key-rights.ts";
import {
  endCurrentSecret,
  endPreviousSecrets,
  insertSecret,
  listWorkingSecrets,
} from "./secrets.sql.ts";

export interface Rotation {
  grace_period_seconds: number;
  cut_off_previous: boolean;
  expires_at?: string | null | undefined;
}

/**
 * Creates a new secret for a key. Only this result contains it. The old secret works until the grace period ends. Throws
 * a 404, a 403 without permission to change the key or to grant its permission, and a 400 for an archived or expired key.
 * Throws a 409 while the previous secret works, unless the caller cuts it off: its users may not have the newer one yet.
 */
export function rotateApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  rotation: Rotation,
): Promise<{ view: ApiKeyView; secret: string }> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getWorkingKey(tx, caller, id, nowMs);
    const previous = await findPreviousSecret(tx, id, nowMs);
    if (previous !== null && !rotation.cut_off_previous)
      throw refuseSecondRotation(previous.valid_until);
    const maxDays = await findMaxKeyLifetimeDays(tx, caller.organizationId);
    const expires_at = decideRotatedExpiry(before, rotation, { fromMs: nowMs, nowMs, maxDays });
    const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
    const now = new Date(nowMs);
    const validUntil = pickEarlier(
      new Date(nowMs + rotation.grace_period_seconds * 1000),
      expires_at,
    );
    await endPreviousSecrets(tx, id, now);
    await endCurrentSecret(tx, id, validUntil);
    await insertSecret(tx, { api_key_id: id, hash, hint, created_at: now });
    const after = { ...before, expires_at, hint, secret_created_at: now };
    await updateApiKey(tx, caller.organizationId, after);
    const audit = auditOf("api_key.rotated", before, after);
    return {
      result: { view: await describeApiKey(tx, caller.organizationId, after, nowMs), secret },
      audit: {
        ...audit,
        after: { ...audit.after, previous_secret_valid_until: validUntil.toISOString() },
      },
    };
  });
}

/**
 * Ends the grace period now. A key without a previous secret stays unchanged. Throws a 404, and a 403 for a key that the
 * caller can only read.
 */
export function cutOffApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ApiKeyView> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await findApiKeyForUpdate(tx, scopeOf(caller), id);
    if (row === null) throw apiKeyNotFound();
    checkCanChangeKey(caller, row);
    const previous = await findPreviousSecret(tx, id, nowMs);
    if (previous !== null) await endPreviousSecrets(tx, id, new Date(nowMs));
    const result = await describeApiKey(tx, caller.organizationId, row, nowMs);
    if (previous === null) return { result, audit: "unchanged" };
    const secretOf = (until: Date | null) => ({
      previous_partial_key_hint: previous.hint,
      previous_secret_valid_until: until?.toISOString() ?? null,
    });
    return {
      result,
      audit: {
        event: "api_key.cut_off",
        subject: { type: "api_key", id },
        workspaceId: row.workspace_id,
        before: secretOf(previous.valid_until),
        after: secretOf(new Date(nowMs)),
      },
    };
  });
}

/** Returns the locked key. Throws a 400 for an archived or expired key, which cannot get a new secret. */
async function getWorkingKey(
  tx: Tx,
  caller: Caller,
  id: string,
  nowMs: number,
): Promise<ApiKeyRow> {
  const row = await findApiKeyForUpdate(tx, scopeOf(caller), id);
  if (row === null) throw apiKeyNotFound();
  checkCanChangeKey(caller, row);
  checkCanGrantKey(caller, row);
  const status = statusOf(row, nowMs);
  if (status === "archived") throw refuseArchivedKey();
  if (status === "expired") throw refuseExpiredKey("it can no longer be rotated");
  return row;
}

async function findPreviousSecret(tx: Tx, apiKeyId: string, nowMs: number) {
  const working = await listWorkingSecrets(tx, [apiKeyId], new Date(nowMs));
  return working.find((secret) => secret.valid_until !== null) ?? null;
}

function refuseSecondRotation(until: Date | null): ApiError {
  return new ApiError(
    "too_many_secrets",
    `The previous secret of this API key works until ${until?.toISOString()}. A key has at most two secrets: ` +
      "wait until then, or send cut_off_previous: true to end the previous secret now.",
  );
}

function decideRotatedExpiry(
  { expires_at }: ApiKeyRow,
  rotation: Rotation,
  lifetime: KeyLifetime,
): Date | null {
  const requestedMs = parseTime(rotation.expires_at);
  return toDate(
    requestedMs === undefined
      ? capExpiry(expires_at?.getTime() ?? null, lifetime)
      : decideExpiry(requestedMs, lifetime),
  );
}

function pickEarlier(a: Date, b: Date | null): Date {
  return b !== null && b < a ? b : a;
}
