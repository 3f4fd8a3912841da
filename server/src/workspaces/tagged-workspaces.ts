import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { findWorkspaceReach } from "#src/domain/rights.ts";
import { mapInParts } from "#src/lib/slices.ts";
import type { ChangedSubject, TaggedSubject } from "#src/tags/tagged-subject.ts";
import { saveTags } from "#src/tags/tags.sql.ts";
import { auditOf } from "./audit-of-workspace.ts";
import { scopeOf } from "./workspace-scope.ts";
import { findWorkspaces, type WorkspaceRow } from "./workspaces.sql.ts";

// Changes of the tags of many workspaces, with few statements. `updateWorkspace` has the same rules for one.

export type TaggedWorkspace = TaggedSubject<WorkspaceRow>;
export type RetaggedWorkspace = ChangedSubject<WorkspaceRow>;

/** Finds workspaces that the caller can see. */
export async function findTaggedWorkspaces(
  tx: Tx,
  caller: Caller,
  ids: readonly string[],
): Promise<TaggedWorkspace[]> {
  const scope = scopeOf(caller);
  const { onlyIds } = scope;
  const visible = onlyIds === null ? ids : ids.filter((id) => onlyIds.includes(id));
  const rows = await mapInParts(visible.toSorted(), (part) =>
    findWorkspaces(tx, { organizationId: scope.organizationId, ids: part }),
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    workspaceId: row.id,
    tags: { tags: row.tags, ranks: row.tag_ranks },
    refusal: findRefusal(caller, row),
    row,
  }));
}

function findRefusal(caller: Caller, { id, archived_at }: WorkspaceRow) {
  if (archived_at !== null) return "archived";
  return findWorkspaceReach(caller, "workspaces:write", id) === null ? "denied" : null;
}

/** Saves the tags of locked workspaces. Returns one audit event for each. */
export async function saveTagsOfWorkspaces(
  tx: Tx,
  caller: Caller,
  changed: readonly RetaggedWorkspace[],
): Promise<AuditEntry[]> {
  return await mapInParts(changed, async (part) => {
    const tagged = part.map(({ subject, after }) => ({ id: subject.id, after }));
    await saveTags(tx, "workspace", caller.organizationId, tagged);
    return part.map(({ subject: { row }, after: { tags, ranks } }) =>
      auditOf("workspace.updated", row, { ...row, tags: { ...tags }, tag_ranks: { ...ranks } }),
    );
  });
}
