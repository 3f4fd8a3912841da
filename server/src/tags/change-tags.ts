import { rankNames } from "@bursar/contract/permissions.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { rankOf } from "#src/domain/rank.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import {
  changeTags as applyChange,
  type ChangedTags,
  inheritTags,
  listLeftTags,
  MAX_TAGS,
  noTags,
  type RankedTags,
  type TagChange,
} from "./tag-changes.rule.ts";
import { listTagLimitRanks, listTagsOfKeys } from "./tags.sql.ts";

export interface TaggedPlace {
  workspaceId: string;
  /** Tags of the key's workspace. Null: the subject is the workspace. */
  inherited: RankedTags | null;
}

/** Wanted change of one workspace or key. */
export interface WantedTags extends TaggedPlace {
  before: RankedTags;
  change: TagChange;
}

/**
 * Changes the tags of a workspace or a key, whose row is locked. Throws a 403 for a tag that a higher rank set or limits,
 * and a 400 for too many tags or similar names.
 */
export async function changeTags(
  tx: Tx,
  caller: Caller,
  before: RankedTags,
  wanted: TaggedPlace & { change: TagChange },
): Promise<RankedTags> {
  const [changed] = await changeAllTags(tx, caller, [{ ...wanted, before }]);
  return readChanged(changed as ChangedTags);
}

/** Changes the tags of workspaces and keys, in order, with one statement for any number of them. */
export async function changeAllTags(
  tx: Tx,
  caller: Caller,
  wanted: readonly WantedTags[],
): Promise<ChangedTags[]> {
  const left = wanted.flatMap(({ before, change, inherited }) =>
    listLeftTags(before, change, inherited ?? noTags),
  );
  const limitRanks = await listTagLimitRanks(tx, caller.organizationId, left);
  return wanted.map(({ before, change, workspaceId, inherited }) => {
    const rank = rankOf(caller, workspaceId, "keys");
    return applyChange(before, change, { rank, inherited: inherited ?? noTags, limitRanks });
  });
}

function readChanged(changed: ChangedTags): RankedTags {
  if (changed.kind === "changed") return changed.after;
  throw changed.kind === "set_above"
    ? new ApiError("tag_set_above", describeRefusal(changed))
    : refuseField("tags", describeRefusal(changed));
}

/** Reason of a refused change, as text. */
export function describeRefusal(refused: Exclude<ChangedTags, { kind: "changed" }>): string {
  switch (refused.kind) {
    case "set_above":
      return describeSetAbove(refused);
    case "too_many":
      return `at most ${MAX_TAGS} tags are possible.`;
    case "similar_names":
      return `the names "${refused.name}" and "${refused.other}" differ in case alone.`;
  }
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

function describeSetAbove({ name, rank, isLimit }: Extract<ChangedTags, { kind: "set_above" }>) {
  const who = rankNames[rank];
  const fact = isLimit
    ? `The tag "${name}" has a limit of ${who}`
    : `The tag "${name}" was set by ${who}`;
  return `${fact}. A caller of a lower rank cannot change it. Ask ${who}.`;
}
