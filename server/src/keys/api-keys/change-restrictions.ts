import { includesRank, type Rank, rankNames } from "@bursar/contract/permissions.ts";
import { denied } from "#src/access/authorize.ts";
import { isOwnApiKey } from "#src/access/own-api-key.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type Caller, toWireMaker } from "#src/domain/caller.ts";
import { rankOf } from "#src/domain/rank.ts";
import { isSame } from "#src/lib/is-same.ts";
import { findApiKey, type StoredStatus } from "./api-keys.sql.ts";
import {
  findRestricting,
  findRow,
  type RankedRestrictions,
  type RestrictedField,
  type Restrictions,
  setRestrictions,
} from "./effective-restrictions.rule.ts";
import { decideExpiry } from "./key-expiry.rule.ts";
import { readAllowedAddresses, readAllowedModels } from "./key-restrictions.ts";
import { parseTime, toDate } from "./key-times.ts";
import {
  listWiderFields,
  putInForce,
  type RankedKey,
  readRankedKey,
} from "./ranked-restrictions.ts";

/** Requested restrictions. Omitted fields stay, and null removes the value of the rank. */
export interface RestrictionChange {
  status?: StoredStatus | null | undefined;
  expires_at?: string | null | undefined;
  allowed_models?: string[] | null | undefined;
  allowed_addresses?: string[] | null | undefined;
  /** Rank whose values change. Omitted: see `findOwnRank`. `all`: enabling removes each value that the caller can remove. */
  rank?: Rank | "all" | undefined;
}

export interface RestrictionContext {
  caller: Caller;
  nowMs: number;
  maxDays: number | null;
}

/**
 * Sets the restrictions of one rank. Throws a 403 for a rank above the caller's, and for a value that only a higher rank can
 * remove. Throws a 409 for a value of a lower rank, which the caller has to name.
 */
export function changeRestrictions(
  key: RankedKey,
  change: RestrictionChange,
  context: RestrictionContext,
): RankedKey {
  const { row } = key;
  const own = rankOf(context.caller, row.workspace_id, "keys");
  const { rank: named = "all" } = change;
  const rank = named === "all" ? findOwnRank(context.caller, row) : named;
  if (!includesRank(own, rank)) {
    throw denied(
      `Your rank for this API key is "${own}", so you cannot change values of "${rank}".`,
    );
  }
  if (row.is_held && change.status === "active" && own === "holder") {
    throw denied(
      "This API key is from a restored backup. Another caller may have stopped it since, so ask a Workspace Admin to enable it.",
    );
  }
  const values = readValues(key, change, { ...context, rank });
  const by = {
    set_by_type: context.caller.kind,
    set_by_id: context.caller.id,
    set_at: new Date(context.nowMs),
  };
  let restrictions = setRestrictions(key.restrictions, rank, values, by);
  if (change.rank === "all" && values.is_disabled === false) {
    for (const other of restrictions.filter((each) => includesRank(own, each.rank))) {
      restrictions = setRestrictions(restrictions, other.rank, { is_disabled: false }, by);
    }
  }
  for (const field of listRemoved(values)) {
    const left = findRestricting(restrictions, field);
    // A named rank that had a value loses it, even if another rank still restricts the key.
    const isPartial = named === "all" && field === "is_disabled";
    const isRefused = isPartial || isUnchanged(key, restrictions, rank, field);
    if (left !== undefined && isRefused) throw refuseRestricted(left, field, own);
  }
  // A new expiry replaces the one by the maximum lifetime, which it respects.
  const lifetime_ends_at = values.expires_at === undefined ? row.lifetime_ends_at : null;
  const isHeld = row.is_held && (own === "holder" || (change.status ?? null) === null);
  return {
    row: putInForce({ ...row, lifetime_ends_at, is_held: isHeld }, restrictions),
    restrictions,
  };
}

/** Rank of values that the caller sets on a key. Members are the holder of their own keys, whatever their role. */
export function findOwnRank(
  caller: Caller,
  key: { workspace_id: string; owner_member_id: string | null },
): Rank {
  return isOwnApiKey(caller, key) ? "holder" : rankOf(caller, key.workspace_id, "keys");
}

/** True if the rank had no value of the field, so that the request removed none. */
function isUnchanged(
  key: RankedKey,
  after: readonly RankedRestrictions[],
  rank: Rank,
  field: RestrictedField,
): boolean {
  const valueIn = (rows: readonly RankedRestrictions[]) => findRow(rows, rank)?.[field] || null;
  return isSame(valueIn(key.restrictions), valueIn(after));
}

function listRemoved(values: Partial<Restrictions>): RestrictedField[] {
  const fields = Object.keys(values) as RestrictedField[];
  return fields.filter((field) => values[field] === null || values[field] === false);
}

function readValues(
  { row, restrictions }: RankedKey,
  change: RestrictionChange,
  { rank, nowMs, maxDays }: RestrictionContext & { rank: Rank },
): Partial<Restrictions> {
  const models = readAllowedModels(change.allowed_models);
  const addresses = readAllowedAddresses(change.allowed_addresses);
  const requestedMs = parseTime(change.expires_at);
  const inForceMs = row.expires_at?.getTime() ?? null;
  const ownMs = findRow(restrictions, rank)?.expires_at?.getTime() ?? null;
  const lifetimeMs = row.lifetime_ends_at?.getTime() ?? null;
  const isExpiryUnchanged =
    requestedMs === undefined ||
    (requestedMs === inForceMs && [ownMs, lifetimeMs, null].includes(requestedMs));
  const fromMs = row.secret_created_at.getTime();
  return {
    ...(change.status === "inactive" && { is_disabled: true }),
    ...(change.status === "active" && row.status !== "archived" && { is_disabled: false }),
    ...(models !== undefined && { allowed_models: models }),
    ...(addresses !== undefined && { allowed_addresses: addresses }),
    ...(!isExpiryUnchanged && {
      expires_at:
        requestedMs === inForceMs
          ? row.expires_at
          : toDate(decideExpiry(requestedMs, { fromMs, nowMs, maxDays })),
    }),
  };
}

/** Refusal to remove a value that another rank has set. */
export function refuseRestricted(
  row: RankedRestrictions,
  field: RestrictedField,
  own: Rank,
  about = "this API key",
): ApiError {
  const name = rankNames[row.rank];
  const setter = name.charAt(0).toUpperCase() + name.slice(1);
  const restriction = {
    field: field === "is_disabled" ? ("status" as const) : field,
    rank: row.rank,
    set_by: toWireMaker({ created_by_type: row.set_by_type, created_by_id: row.set_by_id }),
    set_at: row.set_at.toISOString(),
  };
  const fact = `${setter} has ${describeField[field]} ${about} (${restriction.set_by.id}).`;
  return includesRank(own, row.rank)
    ? new ApiError(
        "restricted_by_lower_rank",
        `${fact} Send rank: "${row.rank}" to change that value.`,
        {},
        { restriction },
      )
    : new ApiError(
        "restricted_by_higher_rank",
        `${fact} A caller of a lower rank cannot undo that. Ask ${name}.`,
        {},
        { restriction },
      );
}

const describeField: Readonly<Record<RestrictedField, string>> = {
  is_disabled: "disabled",
  allowed_models: "set the models of",
  allowed_addresses: "set the addresses of",
  expires_at: "set the expiry of",
};

/**
 * Throws a 403 if a calling API key lets `after` do more than before, and more than the calling key itself. So a restricted
 * key frees neither itself nor another key.
 */
export async function checkWithinCaller(
  tx: Tx,
  caller: Caller,
  { before, after }: { before: readonly RankedRestrictions[] | null; after: RankedKey },
): Promise<void> {
  if (caller.kind !== "api_key") return;
  const widened = before === null ? null : listWiderFields(after.restrictions, before);
  if (widened?.length === 0) return;
  const own = await readCallersRestrictions(tx, caller);
  const exceeded = listWiderFields(after.restrictions, own).filter(
    (field) => field !== "is_disabled" && (widened === null || widened.includes(field)),
  );
  const [field] = exceeded;
  if (field === undefined) return;
  throw denied(
    `The calling API key has restrictions itself (${field}), and this change would allow more than they do.`,
  );
}

/** Restrictions of the calling key. */
export async function readCallersRestrictions(
  tx: Tx,
  { organizationId, id }: { organizationId: string; id: string },
): Promise<RankedRestrictions[]> {
  const row = await findApiKey(tx, { organizationId, onlyWorkspaceIds: null }, id);
  return row === null ? [] : (await readRankedKey(tx, row)).restrictions;
}
