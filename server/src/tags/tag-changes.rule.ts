import { includesRank, type Rank } from "@bursar/contract/permissions.ts";

/** Tags of a workspace or a key, with the rank that set each one, by name. */
export interface RankedTags {
  tags: Readonly<Record<string, string>>;
  ranks: Readonly<Record<string, Rank>>;
}

export const noTags: RankedTags = { tags: {}, ranks: {} };

/** A null value deletes the tag, and null deletes all tags. */
export type TagChange = Readonly<Record<string, string | null>> | null;

/** Rank of tags that version 0.1 set. */
const RANK_OF_OLD_TAGS: Rank = "workspace";

export function findTagRank({ ranks }: RankedTags, name: string): Rank {
  return readOwn(ranks, name) ?? RANK_OF_OLD_TAGS;
}

/** Names can be those of `Object.prototype`, such as `constructor`. */
function readOwn<Value>(of: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

/** A tag of one request, before the change. */
export interface PresentTag {
  name: string;
  value: string;
}

/** Text for one tag. No name contains the equals sign, so two tags never have the same text. */
export function formatTag({ name, value }: PresentTag): string {
  return `${name}=${value}`;
}

/** Lists tags that requests have before the change and may not have afterwards. `inherited`: of the key's workspace. */
export function listLeftTags(
  before: RankedTags,
  change: TagChange,
  inherited: RankedTags,
): PresentTag[] {
  return listChangedNames(before, change).flatMap((name) => {
    const value = readOwn(before.tags, name) ?? readOwn(inherited.tags, name);
    return value === undefined ? [] : [{ name, value }];
  });
}

export type ChangedTags =
  | { kind: "changed"; after: RankedTags }
  | { kind: "set_above"; name: string; rank: Rank; isLimit: boolean }
  | { kind: "too_many" }
  | { kind: "similar_names"; name: string; other: string };

/** Maximum number of tags of a workspace or a key. */
export const MAX_TAGS = 50;

/**
 * Changes tags at a rank. Refuses a change of a tag that a higher rank set or limits. A key also replaces no tag that a higher
 * rank set on its workspace. Refuses a new name that differs from another in case alone. `limitRanks` has the highest rank of
 * each tag's limits, by `formatTag`.
 */
export function changeTags(
  before: RankedTags,
  change: TagChange,
  context: { rank: Rank; inherited: RankedTags; limitRanks: ReadonlyMap<string, Rank> },
): ChangedTags {
  const { rank, inherited, limitRanks } = context;
  const tags = { ...before.tags };
  const ranks = { ...before.ranks };
  const names = listChangedNames(before, change);
  for (const name of names) {
    const value = (change && readOwn(change, name)) ?? null;
    const left = readOwn(before.tags, name) ?? readOwn(inherited.tags, name);
    const setters = [
      ...(Object.hasOwn(before.tags, name) ? [findTagRank(before, name)] : []),
      ...(Object.hasOwn(inherited.tags, name) && value !== null
        ? [findTagRank(inherited, name)]
        : []),
    ];
    const above = setters.find((setter) => !includesRank(rank, setter));
    if (above !== undefined) return { kind: "set_above", name, rank: above, isLimit: false };
    const limiting =
      left === undefined ? undefined : limitRanks.get(formatTag({ name, value: left }));
    if (limiting !== undefined && !includesRank(rank, limiting)) {
      return { kind: "set_above", name, rank: limiting, isLimit: true };
    }
    delete tags[name];
    delete ranks[name];
    if (value === null) continue;
    tags[name] = value;
    ranks[name] = rank;
  }
  if (Object.keys(tags).length > MAX_TAGS) return { kind: "too_many" };
  const similar = findSimilarNames(Object.keys(tags), names);
  return similar === null ? { kind: "changed", after: { tags, ranks } } : similar;
}

/** Finds a changed name that differs from another one in case alone. */
function findSimilarNames(names: readonly string[], changed: readonly string[]) {
  for (const name of names.filter((each) => changed.includes(each))) {
    const isSimilar = (other: string) =>
      other !== name && other.toLowerCase() === name.toLowerCase();
    const other = names.find(isSimilar);
    if (other !== undefined) return { kind: "similar_names" as const, name, other };
  }
  return null;
}

function listChangedNames({ tags }: RankedTags, change: TagChange): string[] {
  if (change === null) return Object.keys(tags);
  return Object.entries(change)
    .filter(([name, value]) => (readOwn(tags, name) ?? null) !== value)
    .map(([name]) => name);
}

/** Tags that ranks above `rank` set on other keys, which a new key inherits. The highest rank wins, and the first key. */
export function inheritTags(sources: readonly RankedTags[], rank: Rank): RankedTags {
  const tags: Record<string, string> = {};
  const ranks: Record<string, Rank> = {};
  for (const source of sources) {
    for (const [name, value] of Object.entries(source.tags)) {
      const setter = findTagRank(source, name);
      const known = readOwn(ranks, name);
      if (includesRank(rank, setter) || (known !== undefined && includesRank(known, setter)))
        continue;
      tags[name] = value;
      ranks[name] = setter;
    }
  }
  return { tags, ranks };
}
