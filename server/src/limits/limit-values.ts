import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { isOwnScope } from "#src/domain/wire-scope.ts";
import type { Limit, LimitKind, SaveDeps, ScopeOfLimit } from "./limit-kind.ts";
import {
  findRankOfUnrankedLimit,
  type LimitValue,
  setValue,
  sortByRank,
} from "./limit-values.rule.ts";

/** Reads the values of limits of one organization, highest rank first. Keeps the order of the limits. */
export async function readValues<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  db: Database | Tx,
  limits: readonly Stored[],
): Promise<LimitValue<Wanted>[][]> {
  const [first] = limits;
  if (first === undefined) return [];
  const { organizationId } = first;
  const scopeIds = [...new Set(limits.map(({ scopeId }) => scopeId))];
  const stored = await kind.listValues(db, { organizationId, scopeIds });
  const ofScope = Map.groupBy(stored, ({ scopeId }) => scopeId);
  return limits.map((limit) => {
    const values = (ofScope.get(limit.scopeId) ?? [])
      .filter((value) => value.scopeType === limit.scopeType && kind.isSamePlace(value, limit))
      .map(({ rank, wanted, setBy, setAtMs }) => ({ rank, wanted, setBy, setAtMs }));
    // Version 0.1 has no limits of other scopes. A limit of a member can have no value of its own.
    const isRanked = !isOwnScope(limit.scopeType) || isInForce(kind, limit, values);
    return isRanked ? sortByRank(values) : [toUnrankedValue(kind, limit)];
  });
}

/** False for a limit that a version before 0.2 has changed. */
function isInForce<Stored extends Limit, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  limit: Stored,
  values: readonly LimitValue<Wanted>[],
): boolean {
  const [first, ...others] = values.map(({ wanted }) => wanted);
  return first !== undefined && kind.isSame(kind.combine([first, ...others]), kind.toWanted(limit));
}

function toUnrankedValue<Stored extends Limit, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  limit: Stored,
): LimitValue<Wanted> {
  const rank = findRankOfUnrankedLimit(limit.scopeType);
  return { rank, wanted: kind.toWanted(limit), setBy: null, setAtMs: limit.updatedAt.getTime() };
}

/** Saves the limit with these values and those that it inherits. Without any, deletes the limit `before`. */
export async function saveLimit<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  tx: Tx,
  deps: SaveDeps,
  change: {
    of: ScopeOfLimit & Place;
    before: Stored | null;
    values: readonly LimitValue<Wanted>[];
  },
): Promise<Stored | null> {
  const { of, before, values } = change;
  await kind.saveValues(tx, of, values);
  const inherited = await kind.listInherited(tx, of, values);
  const [first, ...others] = [...values.map(({ wanted }) => wanted), ...inherited];
  if (first !== undefined) {
    return kind.save(tx, deps, { ...of, ...kind.combine([first, ...others]) });
  }
  if (before !== null) await kind.delete(tx, before);
  return null;
}

/** A scope has a limit for each period or group of models, so fewer than this. */
const MAX_LIMITS_OF_SCOPE = 100;

/** A copied limit before and after the copy, with its values. */
export interface CopiedLimit<Stored extends Limit, Wanted> {
  before: Stored | null;
  after: Stored;
  valuesBefore: readonly LimitValue<Wanted>[];
  values: readonly LimitValue<Wanted>[];
}

/**
 * Gives a key the values of other keys: those of ranks above `rank`, or all if it is null. The strictest value of each rank
 * stays, of several keys and of the key itself. Returns the changed limits.
 */
export async function copyValuesAbove<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  tx: Tx,
  deps: SaveDeps,
  keys: {
    organizationId: string;
    fromApiKeyIds: readonly string[];
    toApiKeyId: string;
    rank: Rank | null;
  },
): Promise<CopiedLimit<Stored, Wanted>[]> {
  const { organizationId, fromApiKeyIds, toApiKeyId, rank } = keys;
  const ofKeys = await Promise.all(
    fromApiKeyIds.map((apiKeyId) => listLimitsOfKey(kind, tx, { organizationId, apiKeyId })),
  );
  const limits = ofKeys.flat();
  const valuesOfLimits = await readValues(kind, tx, limits);
  const found = limits.map((limit, place) => ({
    limit,
    values: (valuesOfLimits[place] ?? []).filter(
      (each) => rank === null || !includesRank(rank, each.rank),
    ),
  }));
  const copies: CopiedLimit<Stored, Wanted>[] = [];
  for (const [place, { limit }] of found.entries()) {
    const samePlace = found.filter((other) => kind.isSamePlace(other.limit, limit));
    if (samePlace[0] !== found[place]) continue;
    const of = { ...limit, scopeId: toApiKeyId };
    const copied = samePlace.flatMap((each) => each.values);
    const copy = await addValues(kind, tx, deps, { of, values: copied });
    if (copy !== null) copies.push(copy);
  }
  return copies;
}

/** Adds values to a limit. Returns null if they change nothing. */
async function addValues<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  tx: Tx,
  deps: SaveDeps,
  { of, values: added }: { of: ScopeOfLimit & Place; values: readonly LimitValue<Wanted>[] },
): Promise<CopiedLimit<Stored, Wanted> | null> {
  const before = await kind.find(tx, of);
  const [valuesBefore = []] = await readValues(kind, tx, before === null ? [] : [before]);
  const values = mergeValues(kind, [...valuesBefore, ...added]);
  const isUnchanged = values.every(({ rank, wanted }) => {
    const own = valuesBefore.find((each) => each.rank === rank);
    return own !== undefined && kind.isSame(own.wanted, wanted);
  });
  if (isUnchanged) return null;
  const after = await saveLimit(kind, tx, deps, { of, before, values });
  return after && { before, after, valuesBefore, values };
}

/** Combines values of one rank to one. */
function mergeValues<Stored extends Limit, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  values: readonly LimitValue<Wanted>[],
): LimitValue<Wanted>[] {
  return values.reduce<LimitValue<Wanted>[]>((merged, value) => {
    const same = merged.find(({ rank }) => rank === value.rank);
    const wanted = same === undefined ? value.wanted : kind.combine([same.wanted, value.wanted]);
    return setValue(merged, { ...value, wanted });
  }, []);
}

function listLimitsOfKey<Stored extends Limit>(
  kind: LimitKind<Stored>,
  tx: Tx,
  of: { organizationId: string; apiKeyId: string },
): Promise<Stored[]> {
  const visibility = { onlyWorkspaceIds: null, hasOrganizationLimits: true };
  const page = { limit: MAX_LIMITS_OF_SCOPE, direction: "older", from: null } as const;
  return kind.list(tx, { ...visibility, ...of }, page);
}
