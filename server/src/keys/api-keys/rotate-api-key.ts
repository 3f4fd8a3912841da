import type { Call } from "#src/access/call.ts";
import { refuseArchivedKey } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import {
  handOverSecret,
  type WaitingSecretDeps,
} from "#src/keys/waiting-secrets/waiting-secrets.ts";
import { type ApiKeyRow, updateApiKey } from "./api-keys.sql.ts";
import { refuseExpiredKey } from "./apply-key-change.ts";
import { auditOf } from "./audit-of-key.ts";
import {
  changeRestrictions,
  checkWithinCaller,
  type RestrictionContext,
} from "./change-restrictions.ts";
import type { NewSecretOfKey } from "./create-key.ts";
import { type ApiKeyView, describeApiKey, statusOf } from "./describe-api-keys.ts";
import { type KeyAuthority, roleAuthority } from "./key-authority.ts";
import { capExpiry } from "./key-expiry.rule.ts";
import { toDate } from "./key-times.ts";
import { putInForce, type RankedKey, readRankedKey } from "./ranked-restrictions.ts";
import { saveRestrictions } from "./restrictions.sql.ts";
import {
  endCurrentSecret,
  endPreviousSecrets,
  insertSecrets,
  listWorkingSecrets,
} from "./secrets.sql.ts";

export interface Rotation {
  grace_period_seconds: number;
  cut_off_previous: boolean;
  expires_at?: string | null | undefined;
}

/**
 * Creates a new secret for a key. The result contains it, unless it waits for another owner. The old secret works until the
 * grace period ends. Throws a 404, a 403 without permission to change the key or to grant its permission, and a 400 for an
 * archived or expired key. Throws a 409 while the previous secret works, unless the caller cuts it off: its users may not
 * have the newer one yet.
 */
export function rotateApiKey(
  deps: WaitingSecretDeps,
  { caller, origin }: Call,
  id: string,
  rotation: Rotation,
  authority: KeyAuthority = roleAuthority,
): Promise<NewSecretOfKey> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await getWorkingKey(tx, { caller, authority }, id, nowMs);
    const before = await readRankedKey(tx, row);
    // A calling key learns the secret, so it needs at least the freedom of this key itself.
    await checkWithinCaller(tx, caller, { before: null, after: before });
    const previous = await findPreviousSecret(tx, id, nowMs);
    if (previous !== null && !rotation.cut_off_previous)
      throw refuseSecondRotation(previous.valid_until);
    const maxDays = await authority.findMaxDays(tx, caller, row);
    const { row: rotated, restrictions } = decideRotatedExpiry(before, rotation, {
      ...{ caller, nowMs, maxDays },
    });
    const { expires_at } = rotated;
    const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
    const now = new Date(nowMs);
    const validUntil = pickEarlier(
      new Date(nowMs + rotation.grace_period_seconds * 1000),
      expires_at,
    );
    await endPreviousSecrets(tx, id, now);
    await endCurrentSecret(tx, id, validUntil);
    await insertSecrets(tx, [{ api_key_id: id, hash, hint, created_at: now }]);
    const after = { row: { ...rotated, hint, secret_created_at: now }, restrictions };
    await updateApiKey(tx, caller.organizationId, after.row);
    await saveRestrictions(tx, [{ apiKeyId: id, restrictions }]);
    const audit = auditOf("api_key.rotated", before, after);
    const of = { key: after.row, secret, reason: "rotated" } as const;
    const handover = await handOverSecret(tx, deps, caller, of);
    return {
      result: {
        view: await describeApiKey(tx, caller.organizationId, after.row, nowMs),
        ...handover,
      },
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
    const row = await roleAuthority.getForUpdate(tx, caller, id);
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

/** Returns the locked key. Throws a 400 for an archived, expired or Claude Code key, which cannot get a new secret. */
async function getWorkingKey(
  tx: Tx,
  { caller, authority }: { caller: Caller; authority: KeyAuthority },
  id: string,
  nowMs: number,
): Promise<ApiKeyRow> {
  const row = await authority.getForUpdate(tx, caller, id);
  await authority.checkCanGrant(tx, caller, row);
  if (row.purpose === "claude_code") throw refuseClaudeCodeKey();
  const status = statusOf(row, nowMs);
  if (status === "archived") throw refuseArchivedKey();
  if (status === "expired") throw refuseExpiredKey("it can no longer be rotated");
  return row;
}

function refuseClaudeCodeKey(): ApiError {
  return new ApiError(
    "key_without_secret",
    "This key carries the requests of laptops and has no secret to rotate. End a laptop instead.",
  );
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

/** Sets the requested expiry at the caller's rank. Without one the maximum lifetime of the new secret applies. */
function decideRotatedExpiry(
  key: RankedKey,
  rotation: Rotation,
  context: RestrictionContext,
): RankedKey {
  const { nowMs, maxDays } = context;
  const row = { ...key.row, secret_created_at: new Date(nowMs) };
  if (rotation.expires_at !== undefined) {
    return changeRestrictions({ ...key, row }, { expires_at: rotation.expires_at }, context);
  }
  const inForceMs = row.expires_at?.getTime() ?? null;
  const expiresAtMs = capExpiry(inForceMs, { fromMs: nowMs, nowMs, maxDays });
  if (expiresAtMs === inForceMs) return key;
  const capped = { ...row, lifetime_ends_at: toDate(expiresAtMs) };
  return { ...key, row: putInForce(capped, key.restrictions) };
}

function pickEarlier(a: Date, b: Date | null): Date {
  return b !== null && b < a ? b : a;
}
