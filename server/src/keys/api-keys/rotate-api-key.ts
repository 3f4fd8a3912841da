import type { Call } from "#src/access/call.ts";
import { apiKeyNotFound, refuseArchivedKey } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { type ApiKeyRow, findApiKeyForUpdate, updateApiKey } from "./api-keys.sql.ts";
import { keyHasExpired, readTime, toDate } from "./api-keys.ts";
import { auditOf } from "./audit-of-key.ts";
import { type ApiKeyView, describeApiKey, statusOf } from "./describe-api-keys.ts";
import { expiryOfKey, type KeyLifetime, keptExpiry } from "./key-expiry.rule.ts";
import { checkMayChange, checkMayGive, scopeOf } from "./key-rights.ts";
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
 * Gives the key a new secret, which is in the answer and nowhere else; the old one works until the grace period is over.
 * Throws a 404, a 403 for a key that is not the caller's to give out, a 400 for one that has ended, and a 409 where the secret before still works and was not given up:
 * somebody may not know yet that there is a newer one.
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
    if (previous !== null && !rotation.cut_off_previous) throw inGracePeriod(previous.valid_until);
    const maxDays = await findMaxKeyLifetimeDays(tx, caller.organizationId);
    const expires_at = expiryAfter(before, rotation, { fromMs: nowMs, nowMs, maxDays });
    const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
    const now = new Date(nowMs);
    const validUntil = earlier(new Date(nowMs + rotation.grace_period_seconds * 1000), expires_at);
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

/** Ends the grace period now. Throws a 404, and a 403 for a key that the caller may only see. Where only the current secret works, nothing is changed. */
export function cutOffApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ApiKeyView> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await findApiKeyForUpdate(tx, scopeOf(caller), id);
    if (row === null) throw apiKeyNotFound();
    checkMayChange(caller, row);
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

/** The key, locked; a key that has ended, or that its owner's end has stopped, gets no new secret. */
async function getWorkingKey(
  tx: Tx,
  caller: Caller,
  id: string,
  nowMs: number,
): Promise<ApiKeyRow> {
  const row = await findApiKeyForUpdate(tx, scopeOf(caller), id);
  if (row === null) throw apiKeyNotFound();
  checkMayChange(caller, row);
  checkMayGive(caller, row);
  const status = statusOf(row, nowMs);
  if (status === "archived") throw refuseArchivedKey();
  if (status === "expired") throw keyHasExpired("it cannot be rotated any more");
  return row;
}

async function findPreviousSecret(tx: Tx, apiKeyId: string, nowMs: number) {
  const working = await listWorkingSecrets(tx, [apiKeyId], new Date(nowMs));
  return working.find((secret) => secret.valid_until !== null) ?? null;
}

function inGracePeriod(until: Date | null): ApiError {
  return new ApiError(
    "too_many_secrets",
    `This API key was rotated before, and its previous secret works until ${until?.toISOString()}. A key has two secrets ` +
      "at most: wait until then, or send cut_off_previous: true to end the previous secret now.",
  );
}

function expiryAfter(
  { expires_at }: ApiKeyRow,
  rotation: Rotation,
  lifetime: KeyLifetime,
): Date | null {
  const asked = readTime(rotation.expires_at);
  return toDate(
    asked === undefined
      ? keptExpiry(expires_at?.getTime() ?? null, lifetime)
      : expiryOfKey(asked, lifetime),
  );
}

function earlier(a: Date, b: Date | null): Date {
  return b !== null && b < a ? b : a;
}
