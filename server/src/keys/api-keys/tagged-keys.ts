import { lockApiKeys } from "#src/access/lock-keys.sql.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { mapInParts } from "#src/lib/slices.ts";
import type { ChangedSubject, TaggedSubject } from "#src/tags/tagged-subject.ts";
import { saveTags } from "#src/tags/tags.sql.ts";
import { type ApiKeyRow, findApiKeys } from "./api-keys.sql.ts";
import { auditOf } from "./audit-of-key.ts";
import { statusOf } from "./describe-api-keys.ts";
import { canChangeKey, scopeOf } from "./key-rights.ts";
import { readRankedKeys } from "./ranked-restrictions.ts";

// Changes of the tags of many keys, with few statements. `updateApiKey` has the same rules for one.

export type TaggedKey = TaggedSubject<ApiKeyRow>;
export type RetaggedKey = ChangedSubject<ApiKeyRow>;

/** Finds keys that the caller can see. Locked until the transaction ends, if `isLocked`. */
export async function findTaggedKeys(
  tx: Tx,
  caller: Caller,
  { ids, isLocked, nowMs }: { ids: readonly string[]; isLocked: boolean; nowMs: number },
): Promise<TaggedKey[]> {
  const scope = scopeOf(caller);
  const { organizationId } = scope;
  const rows = await mapInParts(ids.toSorted(), async (part) => {
    if (isLocked) await lockApiKeys(tx, { organizationId, ids: part });
    return findApiKeys(tx, scope, part);
  });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    workspaceId: row.workspace_id,
    tags: { tags: row.tags, ranks: row.tag_ranks },
    refusal: findRefusal(caller, row, nowMs),
    row,
  }));
}

function findRefusal(caller: Caller, row: ApiKeyRow, nowMs: number) {
  const status = statusOf(row, nowMs);
  if (status === "archived" || status === "expired") return status;
  return canChangeKey(caller, row) ? null : "denied";
}

/** Saves the tags of locked keys. Returns one audit event for each. */
export async function saveTagsOfKeys(
  tx: Tx,
  caller: Caller,
  changed: readonly RetaggedKey[],
): Promise<AuditEntry[]> {
  return await mapInParts(changed, async (part) => {
    const tagged = part.map(({ subject, after }) => ({ id: subject.id, after }));
    await saveTags(tx, "api_key", caller.organizationId, tagged);
    const keys = await readRankedKeys(
      tx,
      part.map(({ subject }) => subject.row),
    );
    return keys.map((key, index) => {
      const { tags = {}, ranks = {} } = part[index]?.after ?? {};
      const row = { ...key.row, tags: { ...tags }, tag_ranks: { ...ranks } };
      return auditOf("api_key.updated", key, { ...key, row });
    });
  });
}
