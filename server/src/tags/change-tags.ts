import { type Rank, rankNames } from "@bursar/contract/permissions.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { rankOf } from "#src/domain/rank.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import {
  changeTags as applyChange,
  inheritTags,
  listLeftTags,
  noTags,
  type RankedTags,
  type TagChange,
} from "./tag-changes.rule.ts";
import { listTagLimitRanks, listTagsOfKeys } from "./tags.sql.ts";

const MAX_TAGS = 50;

export interface TaggedPlace {
  workspaceId: string;
  /** Tags of the key's workspace. Null: the subject is the workspace. */
  inherited: RankedTags | null;
}

/**
 * Changes the tags of a workspace or a key, whose row is locked. Throws a 403 for a tag that a higher rank set or limits,
 * and a 400 for too many tags.
 */
export async function changeTags(
  tx: Tx,
  caller: Caller,
  before: RankedTags,
  { change, workspaceId, inherited }: TaggedPlace & { change: TagChange },
): Promise<RankedTags> {
  const context = { rank: rankOf(caller, workspaceId, "keys"), inherited: inherited ?? noTags };
  const left = listLeftTags(before, change, context.inherited);
  const limitRanks = await listTagLimitRanks(tx, caller.organizationId, left);
  const changed = applyChange(before, change, { ...context, limitRanks });
  if (changed.kind === "set_above") throw refuseSetAbove(changed);
  if (Object.keys(changed.after.tags).length > MAX_TAGS) {
    throw refuseField("tags", `at most ${MAX_TAGS} tags are possible.`);
  }
  return changed.after;
}

/** Returns the tags that a new key gets from other keys. */
export async function inheritTagsOfKeys(
  tx: Tx,
  caller: Caller,
  { workspaceId, fromApiKeyIds }: { workspaceId: string; fromApiKeyIds: readonly string[] },
): Promise<RankedTags> {
  const sources = await listTagsOfKeys(tx, caller.organizationId, fromApiKeyIds);
  return inheritTags(sources, rankOf(caller, workspaceId, "keys"));
}

function refuseSetAbove({ name, rank, isLimit }: { name: string; rank: Rank; isLimit: boolean }) {
  const who = rankNames[rank];
  const fact = isLimit
    ? `The tag "${name}" has a limit of ${who}`
    : `The tag "${name}" was set by ${who}`;
  return new ApiError(
    "tag_set_above",
    `${fact}. A caller of a lower rank cannot change it. Ask ${who}.`,
  );
}
