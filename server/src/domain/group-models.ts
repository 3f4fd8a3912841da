import { includesRank, type Rank, ranks } from "@bursar/contract/permissions.ts";
import { includesModels, intersectModels, joinModels } from "./allowed-models.ts";
import { areModelsWider } from "./wider-access.ts";

// Lists of models of groups. Each rank has its own list in a group, and a list of a lower rank allows no more than those above
// it. Lists of several groups add up, but never beyond the lists of a higher rank.

/** List of one rank. */
export interface ModelList {
  allowed_models: string[];
  set_by_type: string;
  set_by_id: string;
  /** ISO 8601. */
  set_at: string;
}

export type ModelLists = Partial<Record<Rank, ModelList>>;

/** Columns of a group. */
export interface GroupModels {
  /** Models in force. Null: no list. */
  allowed_models: string[] | null;
  /** Null: the models in force are a list of the rank `admin`. */
  model_lists: ModelLists | null;
}

export interface RankedModels extends ModelList {
  rank: Rank;
}

const UNRANKED: Rank = "admin";
const UNKNOWN = { set_by_type: "system", set_by_id: "unknown", set_at: "1970-01-01T00:00:00.000Z" };

/** Lists of a group, highest rank first. */
export function listModelLists({
  allowed_models: models,
  model_lists,
}: GroupModels): RankedModels[] {
  if (models === null) return [];
  const lists: ModelLists = model_lists ?? { [UNRANKED]: { allowed_models: models, ...UNKNOWN } };
  return ranks.flatMap((rank) => {
    const list = lists[rank];
    return list ? [{ rank, ...list }] : [];
  });
}

/** Columns of a group with these lists. */
export function toGroupModels(lists: readonly RankedModels[]): GroupModels {
  const [first, ...others] = lists.map(({ allowed_models }) => allowed_models);
  if (first === undefined) return { allowed_models: null, model_lists: null };
  return {
    allowed_models: others.reduce(intersectModels, first),
    model_lists: Object.fromEntries(lists.map(({ rank, ...list }) => [rank, list])),
  };
}

/** Finds the lowest list above the rank. The list allows no more than the others above it. */
export function findListAbove(group: GroupModels, rank: Rank): RankedModels | null {
  return listModelLists(group).findLast((list) => !includesRank(rank, list.rank)) ?? null;
}

export type ModelsChange =
  | { kind: "changed"; models: GroupModels }
  /** A higher rank has a list that allows less. */
  | { kind: "refused"; above: RankedModels };

/**
 * Sets the list of one rank, or removes it with null. Lists of lower ranks end, because the caller decides about them too. The
 * models must be within the lists above.
 */
export function setModelList(group: GroupModels, rank: Rank, list: ModelList | null): ModelsChange {
  const above = findListAbove(group, rank);
  const lists = listModelLists(group);
  const isOwn = lists.some((each) => includesRank(rank, each.rank));
  const isWithin =
    list === null ? isOwn : includesModels(above?.allowed_models ?? [], list.allowed_models);
  if (above !== null && !isWithin) return { kind: "refused", above };
  const kept = lists.filter((each) => !includesRank(rank, each.rank));
  return { kind: "changed", models: toGroupModels(list ? [...kept, { rank, ...list }] : kept) };
}

/** Models of a member in several groups. Null: all models. */
export function combineGroupModels(groups: readonly GroupModels[]): string[] | null {
  const lists = groups.map(listModelLists);
  const held = ranks.filter((rank) => lists.some((each) => each.some((one) => one.rank === rank)));
  const bounds = held.map((rank) => findBound(lists, rank)).filter((bound) => bound !== null);
  const [first, ...others] = bounds;
  return first === undefined ? null : others.reduce(intersectModels, first);
}

/** Models that the lists of this rank and of higher ones allow. A group without such a list does not count. */
function findBound(groups: readonly (readonly RankedModels[])[], rank: Rank): string[] | null {
  return joinModels(groups.map((lists) => findList(lists, rank)?.allowed_models ?? null));
}

/** Lowest list of this rank or a higher one. */
function findList(lists: readonly RankedModels[], rank: Rank): RankedModels | undefined {
  return lists.findLast((list) => includesRank(list.rank, rank));
}

/** Finds a list above the rank that no longer restricts a member after a change of groups. Null: all of them do. */
export function findEasedList(
  before: readonly GroupModels[],
  after: readonly GroupModels[],
  rank: Rank,
): RankedModels | null {
  const [one, other] = [before.map(listModelLists), after.map(listModelLists)];
  const eased = ranks.find(
    (each) =>
      !includesRank(rank, each) && areModelsWider(findBound(one, each), findBound(other, each)),
  );
  if (eased === undefined) return null;
  return one.map((lists) => findList(lists, eased)).find((list) => list !== undefined) ?? null;
}
