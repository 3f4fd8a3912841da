import type { AuditDeps, AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import type { ApiKeyRow } from "#src/keys/api-keys/api-keys.sql.ts";
import { insertKey } from "#src/keys/api-keys/create-key.ts";
import { statusOf } from "#src/keys/api-keys/describe-api-keys.ts";
import { inheritRestrictions } from "#src/keys/api-keys/inherit-restrictions.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import { findMaxDays, lockOwner, openPlace } from "./personal-key-place.ts";
import { lockClaudeCodeKey } from "./personal-keys.sql.ts";

// The key that carries the requests of a member's laptops in a workspace, under the rules for personal keys there.

export interface ClaudeCodeKey {
  id: string;
  /** Longest lifetime of a laptop, days. Null: no maximum. */
  maxDays: number | null;
  /** Audit entries of a new role and of a new key. */
  audit: AuditEntry[];
}

const HASH_BYTES = 32;
const MAX_NAME_LENGTH = 100;
/** Shown instead of a part of the secret. */
export const CLAUDE_CODE_HINT = "Claude Code";

/**
 * Finds or creates the caller's Claude Code key in the workspace, locked until the transaction ends. Throws like
 * `createPersonalKey`, except for the number of keys, and a 400 while the key does not work.
 */
export async function ensureClaudeCodeKey(
  tx: Tx,
  deps: AuditDeps,
  caller: MemberCaller,
  workspaceId: string,
): Promise<ClaudeCodeKey> {
  const nowMs = deps.nowMs();
  const { place, ground, joined } = await openPlace(tx, deps.rows, caller, workspaceId);
  await lockOwner(tx, caller, workspaceId);
  const maxDays = await findMaxDays(tx, caller, place, ground);
  const of = { organizationId: caller.organizationId, memberId: caller.id, workspaceId };
  const known = await lockClaudeCodeKey(tx, of);
  if (known !== null) {
    await inheritRestrictions(tx, caller, of, new Date(nowMs));
    checkWorks(known, nowMs);
    return { id: known.id, maxDays, audit: joined };
  }
  const member = await findMember(tx, { organizationId: caller.organizationId, id: caller.id });
  const { view, audit } = await insertKey(tx, deps, caller, {
    key: {
      name: `Claude Code of ${member?.name ?? caller.id}`.slice(0, MAX_NAME_LENGTH),
      workspace_id: workspaceId,
      owner_member_id: caller.id,
      permission: "write",
    },
    // Each laptop has the maximum lifetime.
    rules: { maxDays: null, workspaceModels: ground === "role" ? null : place.personal_key_models },
    nowMs,
    // The hash of no known text.
    secret: { hash: Buffer.from(deps.randomBytes(HASH_BYTES)), hint: CLAUDE_CODE_HINT },
    purpose: "claude_code",
  });
  return { id: view.row.id, maxDays, audit: [...joined, ...audit] };
}

function checkWorks(row: ApiKeyRow, nowMs: number): void {
  if (statusOf(row, nowMs) === "active") return;
  throw new ApiError(
    "claude_code_key_stopped",
    `Your key "${row.name}" in this workspace is disabled or has expired. Enable it under your API keys, or revoke it for a new one.`,
  );
}
