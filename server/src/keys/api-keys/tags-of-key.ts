import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { changeTags, inheritTagsOfKeys } from "#src/tags/change-tags.ts";
import type { RankedTags, TagChange } from "#src/tags/tag-changes.rule.ts";
import { findTagsOfWorkspace } from "#src/tags/tags.sql.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";

type TagColumns = Pick<ApiKeyRow, "tags" | "tag_ranks">;

/** Returns the changed tags of a key. Throws a 403 for a tag that a higher rank set or limits. */
export async function setTagsOfKey(
  tx: Tx,
  caller: Caller,
  row: TagColumns & Pick<ApiKeyRow, "workspace_id">,
  change: TagChange | undefined,
): Promise<TagColumns> {
  const { tags, tag_ranks, workspace_id: workspaceId } = row;
  if (change === undefined) return { tags, tag_ranks };
  return changeOwn(tx, caller, { workspaceId, before: { tags, ranks: tag_ranks }, change });
}

/** Returns the tags of a new key: the inherited ones, and those of the request. */
export async function decideTags(
  tx: Tx,
  caller: Caller,
  of: { workspaceId: string; fromApiKeyIds: readonly string[]; change: TagChange | undefined },
): Promise<TagColumns> {
  const before = await inheritTagsOfKeys(tx, caller, of);
  return changeOwn(tx, caller, { ...of, before, change: of.change ?? {} });
}

async function changeOwn(
  tx: Tx,
  caller: Caller,
  of: { workspaceId: string; before: RankedTags; change: TagChange },
): Promise<TagColumns> {
  const { workspaceId, before, change } = of;
  const inherited = await findTagsOfWorkspace(tx, {
    organizationId: caller.organizationId,
    workspaceId,
  });
  const after = await changeTags(tx, caller, before, { workspaceId, inherited, change });
  return { tags: { ...after.tags }, tag_ranks: { ...after.ranks } };
}
