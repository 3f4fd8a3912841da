import type { BeginRecord } from "#src/domain/request-record.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";

/** Scopes that count a request of this key. Empty lists are left out, so that most keys have the shortest chain. */
export function toSpendScope(key: FoundKey): SpendScope {
  const { organizationId, workspaceId, id: apiKeyId, ownerMemberId, groupIds, tagIds } = key;
  return {
    organizationId,
    workspaceId,
    apiKeyId,
    memberId: ownerMemberId ?? undefined,
    groupIds: groupIds.length > 0 ? groupIds : undefined,
    tagIds: tagIds.length > 0 ? tagIds : undefined,
  };
}

/** Scopes that count a running request. */
export function scopeOfBegin(begin: BeginRecord): SpendScope {
  const { organizationId, workspaceId, apiKeyId, memberId, groupIds, tagIds } = begin;
  return { organizationId, workspaceId, apiKeyId, memberId, groupIds, tagIds };
}
