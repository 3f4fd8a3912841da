import { type KeyIssue, keyIssues } from "@bursar/contract/key-issues.ts";
import type { Call } from "#src/access/call.ts";
import { getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { countKeyIssues } from "./count-key-issues.sql.ts";
import { scopeOf } from "./key-rights.ts";

export interface KeyHygiene {
  keys: number;
  healthy: number;
  needingAttention: number;
  cards: { issue: KeyIssue; count: number }[];
}

/** Counts issues of the keys that the caller can see. Throws a 404 for an unknown workspace. */
export async function getKeyHygiene(
  deps: AuditDeps,
  { caller }: Call,
  workspaceId: string | undefined,
): Promise<KeyHygiene> {
  if (workspaceId !== undefined) {
    await getVisibleWorkspace(deps.database, caller, "api_keys:read", workspaceId);
  }
  const { byIssue, ...counts } = await countKeyIssues(deps.database, {
    ...scopeOf(caller),
    workspaceId,
    issues: keyIssues,
    maxLifetimeDays: await findMaxKeyLifetimeDays(deps.database, caller.organizationId),
    nowMs: deps.nowMs(),
  });
  return {
    ...counts,
    cards: keyIssues.map((issue, index) => ({ issue, count: byIssue[index] ?? 0 })),
  };
}
