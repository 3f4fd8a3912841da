import { includesRank, type Rank, ranks } from "@bursar/contract/permissions.ts";
import { includesModels, intersectModels } from "#src/domain/allowed-models.ts";
import type { Instant } from "#src/lib/clock.ts";
import { isSame } from "#src/lib/is-same.ts";

// Each rank has its own restrictions of a key. The strictest of all ranks are in force, and stand in the key's row.

/** Restrictions that limit the use of a key. Null: no restriction. An empty list allows nothing. */
export interface Restrictions {
  is_disabled: boolean;
  allowed_models: string[] | null;
  allowed_addresses: string[] | null;
  expires_at: Instant | null;
}

export type RestrictedField = keyof Restrictions;
export const restrictedFields = [
  "is_disabled",
  "allowed_models",
  "allowed_addresses",
  "expires_at",
] as const satisfies readonly RestrictedField[];

/** Restrictions of one rank. */
export interface RankedRestrictions extends Restrictions {
  rank: Rank;
  set_by_type: string;
  set_by_id: string;
  set_at: Instant;
}

/** Operations on lists of address ranges. */
export interface RangeLists {
  intersect(a: readonly string[], b: readonly string[]): string[];
  includes(list: readonly string[], inner: readonly string[]): boolean;
}

const unrestricted: Restrictions = {
  is_disabled: false,
  allowed_models: null,
  allowed_addresses: null,
  expires_at: null,
};

/** Restrictions in force: the strictest of all. */
export function computeInForce(of: readonly Restrictions[], lists: RangeLists): Restrictions {
  return of.reduce<Restrictions>((a, b) => restrictBoth(a, b, lists), unrestricted);
}

function restrictBoth(a: Restrictions, b: Restrictions, lists: RangeLists): Restrictions {
  return {
    is_disabled: a.is_disabled || b.is_disabled,
    allowed_models: combine(a.allowed_models, b.allowed_models, intersectModels),
    allowed_addresses: combine(a.allowed_addresses, b.allowed_addresses, lists.intersect),
    expires_at: combine(a.expires_at, b.expires_at, pickEarlier),
  };
}

function combine<Value>(
  a: Value | null,
  b: Value | null,
  pickStricter: (a: Value, b: Value) => Value,
): Value | null {
  if (a === null || b === null) return a ?? b;
  return pickStricter(a, b);
}

function pickEarlier(a: Instant, b: Instant): Instant {
  return a.getTime() <= b.getTime() ? a : b;
}

/** Fields in which `inner` allows more than `outer`. */
export function listWiderFields(
  inner: Restrictions,
  outer: Restrictions,
  lists: RangeLists,
): RestrictedField[] {
  const isWider: Readonly<Record<RestrictedField, boolean>> = {
    is_disabled: outer.is_disabled && !inner.is_disabled,
    allowed_models: exceeds(inner.allowed_models, outer.allowed_models, includesModels),
    allowed_addresses: exceeds(inner.allowed_addresses, outer.allowed_addresses, lists.includes),
    expires_at: exceeds(inner.expires_at, outer.expires_at, (bound, at) => at <= bound),
  };
  return restrictedFields.filter((field) => isWider[field]);
}

function exceeds<Value>(
  inner: Value | null,
  outer: Value | null,
  includes: (outer: Value, inner: Value) => boolean,
): boolean {
  return outer !== null && (inner === null || !includes(outer, inner));
}

/** Type of setter of the models that a workspace allows for personal keys. */
const WORKSPACE = "workspace";

/**
 * Rows in which the rank `workspace` also has the models that the workspace allows for personal keys. Another setter of that
 * rank stays, so that further keys inherit its values.
 */
export function addWorkspaceRule(
  rows: readonly RankedRestrictions[],
  rule: { workspaceId: string; models: readonly string[] | null; now: Instant },
): RankedRestrictions[] {
  const { workspaceId, models, now } = rule;
  if (models === null) return [...rows];
  const set_at = findRow(rows, WORKSPACE)?.set_at ?? now;
  const by = { set_by_type: WORKSPACE, set_by_id: workspaceId, set_at };
  return [...rows, { ...unrestricted, rank: WORKSPACE, allowed_models: [...models], ...by }];
}

/** True for a row with the models of a workspace alone. A further key gets the workspace's current models instead. */
export function isWorkspaceRule(row: RankedRestrictions): boolean {
  return row.set_by_type === WORKSPACE;
}

/** Values in force that no rank has set. An earlier version wrote them, and they belong to a Workspace Admin. */
const EARLIER = { rank: "workspace", set_by_type: "system", set_by_id: "earlier_version" } as const;

/**
 * Rows of the ranks, with each value of `inForce` that is stricter than all of them. `otherwise` are restrictions without a
 * rank.
 */
export function adoptUnranked(
  rows: readonly RankedRestrictions[],
  key: { inForce: Restrictions; otherwise: Restrictions; since: Instant },
  lists: RangeLists,
): RankedRestrictions[] {
  const computed = computeInForce([...rows, key.otherwise], lists);
  const adopted = listWiderFields(computed, key.inForce, lists);
  if (adopted.length === 0) return [...rows];
  const values = Object.fromEntries(adopted.map((field) => [field, key.inForce[field]]));
  const row = { ...unrestricted, ...EARLIER, set_at: key.since, ...values };
  return mergeRanks([...rows, row], lists);
}

/** One row for each rank, highest first, with the strictest of its values. The newest setter of a rank stays. */
export function mergeRanks(
  rows: readonly RankedRestrictions[],
  lists: RangeLists,
): RankedRestrictions[] {
  return ranks.flatMap((rank) => {
    const same = rows.filter((row) => row.rank === rank);
    const newest = same.reduce<RankedRestrictions | null>(
      (found, row) => (found === null || row.set_at > found.set_at ? row : found),
      null,
    );
    return newest === null ? [] : [{ ...newest, ...computeInForce(same, lists) }];
  });
}

/** Rows in which the rank has these values instead. A row without restrictions is omitted. */
export function setRestrictions(
  rows: readonly RankedRestrictions[],
  rank: Rank,
  values: Partial<Restrictions>,
  by: Pick<RankedRestrictions, "set_by_type" | "set_by_id" | "set_at">,
): RankedRestrictions[] {
  const before = { ...unrestricted, ...findRow(rows, rank) };
  const after = { ...before, ...values };
  const isSameAs = (other: Restrictions) =>
    restrictedFields.every((field) => isSame(after[field], other[field]));
  const others = rows.filter((row) => row.rank !== rank);
  if (isSameAs(unrestricted)) return others;
  return isSameAs(before) ? [...rows] : sortByRank([...others, { ...after, rank, ...by }]);
}

function sortByRank(rows: readonly RankedRestrictions[]): RankedRestrictions[] {
  return ranks.flatMap((rank) => rows.filter((row) => row.rank === rank));
}

export function findRow(
  rows: readonly RankedRestrictions[],
  rank: Rank,
): RankedRestrictions | undefined {
  return rows.find((row) => row.rank === rank);
}

/** Highest rank that restricts the field, except `rank`. */
export function findRestricting(
  rows: readonly RankedRestrictions[],
  field: RestrictedField,
  except?: Rank,
): RankedRestrictions | undefined {
  return sortByRank(rows).find(
    (row) => row.rank !== except && row[field] !== null && row[field] !== false,
  );
}

/** Rows of ranks above `rank`, which a caller of this rank cannot change. */
export function listHigherRanks(
  rows: readonly RankedRestrictions[],
  rank: Rank,
): RankedRestrictions[] {
  return rows.filter((row) => !includesRank(rank, row.rank));
}
