import { type Rank, rankNames } from "@bursar/contract/permissions.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type Caller, toWireMaker } from "#src/domain/caller.ts";
import {
  findEasedList,
  findListAbove,
  type GroupModels,
  type RankedModels,
  setModelList,
} from "#src/domain/group-models.ts";
import { rankOf } from "#src/domain/rank.ts";
import { findModelLists, listOtherModels } from "./group-models.sql.ts";

// Lists of models of groups by rank. A caller eases no list of a higher rank: not by another list, and not by a change of the
// group's members.

/**
 * Returns the lists of a group with the caller's list of models. Undefined: no change. Null: no list. Throws a 403 for models
 * that a list of a higher rank refuses.
 */
export function changeModels(
  caller: Caller,
  { allowed_models, model_lists }: GroupModels,
  { models, nowMs }: { models: string[] | null | undefined; nowMs: number },
): GroupModels {
  const group = { allowed_models, model_lists };
  if (models === undefined) return group;
  const list = models && {
    allowed_models: models,
    set_by_type: caller.kind,
    set_by_id: caller.id,
    set_at: new Date(nowMs).toISOString(),
  };
  const change = setModelList(group, rankOf(caller, null, "keys"), list);
  if (change.kind === "refused") throw refuseListAbove(change.above);
  return change.models;
}

/** Throws a 403 for a group with a list of models above the rank, which only a higher rank can delete. */
export function checkDeletion(group: GroupModels, rank: Rank): void {
  const above = findListAbove(group, rank);
  if (above !== null) throw refuseListAbove(above);
}

/** A change of memberships of one group. Rank null: a directory, which may end lists of every rank. */
interface ModelsChange {
  organizationId: string;
  groupId: string;
  memberIds: readonly string[];
  rank: Rank | null;
}

/** Throws a 403 if a member would use models that a list above the rank refuses. Call before the change. */
export async function checkListsAbove(
  tx: Tx,
  verb: "added" | "removed",
  { organizationId, groupId, memberIds, rank }: ModelsChange,
): Promise<void> {
  if (rank === null || memberIds.length === 0) return;
  const own = await findModelLists(tx, { organizationId, groupId });
  if (findListAbove(own, rank) === null) return;
  for (const { isInGroup, lists } of await listOtherModels(tx, { groupId, memberIds })) {
    if (isInGroup !== (verb === "removed")) continue;
    const joined = [...lists, own];
    const [before, after] = verb === "added" ? [lists, joined] : [joined, lists];
    const eased = findEasedList(before, after, rank);
    if (eased !== null) throw refuseListAbove(eased);
  }
}

function refuseListAbove({ rank, set_by_type, set_by_id, set_at, allowed_models }: RankedModels) {
  const name = rankNames[rank];
  const setter = name.charAt(0).toUpperCase() + name.slice(1);
  const set_by = toWireMaker({ created_by_type: set_by_type, created_by_id: set_by_id });
  return new ApiError(
    "restricted_by_higher_rank",
    `${setter} has set the models of the group: ${allowed_models.join(", ")} (${set_by.id}). A caller of a lower rank cannot allow more. Ask ${name}.`,
    {},
    { restriction: { field: "allowed_models", rank, set_by, set_at } },
  );
}
