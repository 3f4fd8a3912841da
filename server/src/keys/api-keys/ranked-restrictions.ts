import type { Database, Tx } from "#src/db/pool.ts";
import { includesRanges, intersectRanges } from "#src/key-lookup/address-ranges.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";
import {
  adoptUnranked,
  computeInForce,
  listWiderFields as listWider,
  mergeRanks,
  type RangeLists,
  type RankedRestrictions,
  type RestrictedField,
  type Restrictions,
} from "./effective-restrictions.rule.ts";
import { listRestrictions } from "./restrictions.sql.ts";

// Restrictions of a key by rank, and the values in force in its row.

const lists: RangeLists = { intersect: intersectRanges, includes: includesRanges };

/** A key with the restrictions of each rank, highest first. */
export interface RankedKey {
  row: ApiKeyRow;
  restrictions: RankedRestrictions[];
}

/** Reads the restrictions of keys, in the order of the keys. */
export async function readRankedKeys(
  db: Database | Tx,
  rows: readonly ApiKeyRow[],
): Promise<RankedKey[]> {
  const stored = await listRestrictions(
    db,
    rows.map(({ id }) => id),
  );
  const byKey = Map.groupBy(stored, (restriction) => restriction.api_key_id);
  return rows.map((row) => {
    const own = (byKey.get(row.id) ?? []).map(({ api_key_id: _, ...restriction }) => restriction);
    return { row, restrictions: adopt(row, mergeRanks(own, lists)) };
  });
}

export async function readRankedKey(db: Database | Tx, row: ApiKeyRow): Promise<RankedKey> {
  const [key] = await readRankedKeys(db, [row]);
  return key as RankedKey;
}

function adopt(row: ApiKeyRow, restrictions: readonly RankedRestrictions[]) {
  const inForce = {
    is_disabled: row.status === "inactive" && !row.is_held,
    allowed_models: row.allowed_models,
    allowed_addresses: row.allowed_addresses,
    expires_at: row.expires_at,
  };
  const key = { inForce, otherwise: lifetimeOf(row), since: row.created_at };
  return adoptUnranked(restrictions, key, lists);
}

/** Restrictions of a key by the rules of the organization, which no rank has set. */
function lifetimeOf({ lifetime_ends_at }: Pick<ApiKeyRow, "lifetime_ends_at">): Restrictions {
  return {
    is_disabled: false,
    allowed_models: null,
    allowed_addresses: null,
    expires_at: lifetime_ends_at,
  };
}

/** Columns of the key's row with the restrictions in force. A held key stays inactive. */
export function putInForce<Row extends Pick<ApiKeyRow, "status" | "is_held" | "lifetime_ends_at">>(
  row: Row,
  restrictions: readonly RankedRestrictions[],
): Row & Pick<ApiKeyRow, "status" | "allowed_models" | "allowed_addresses" | "expires_at"> {
  const { is_disabled, ...columns } = computeInForce([...restrictions, lifetimeOf(row)], lists);
  const status = is_disabled || row.is_held ? "inactive" : "active";
  return { ...row, ...columns, status: row.status === "archived" ? "archived" : status };
}

/** One row for each rank, with the strictest of its values. */
export function mergeRestrictions(rows: readonly RankedRestrictions[]): RankedRestrictions[] {
  return mergeRanks(rows, lists);
}

/** Fields in which ranks let `inner` do more than `outer`. Rules of the organization do not count. */
export function listWiderFields(
  inner: readonly Restrictions[],
  outer: readonly Restrictions[],
): RestrictedField[] {
  return listWider(computeInForce(inner, lists), computeInForce(outer, lists), lists);
}
