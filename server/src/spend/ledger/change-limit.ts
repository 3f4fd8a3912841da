import type { enforcements } from "@bursar/contract/admin/spend-limits.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { readAmount } from "#src/domain/read-amount.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import {
  deleteSpendLimit,
  findSpendLimit,
  type LimitRow,
  type SpendLimit,
  upsertSpendLimit,
} from "./limits.sql.ts";

// What everybody does who changes a limit: there is one for each scope and period. The caller locks the scope first, and
// writes what is said here to the audit log.

// A JSON number keeps this many digits. The limit is shown as one, so it may not have more, however it came.
const MAX_DIGITS = 15;

/** A limit as it is asked for, in nano-USD. Throws a 400 that names the field. */
export function readLimit(field: string, amount: string | number): bigint {
  const nano = readAmount(field, amount);
  const digits = formatUsd(nano)
    .replace(".", "")
    .replace(/^0+|0+$/g, "");
  if (digits.length > MAX_DIGITS) {
    throw refuseField(field, `expected at most ${MAX_DIGITS} significant digits.`);
  }
  return nano;
}

/** The limit before and after a change; null where there is none. */
export interface LimitChange {
  before: SpendLimit | null;
  after: SpendLimit | null;
}

/** What a limit shall be. */
export interface WantedLimit {
  amountNanoUsd: bigint;
  enforcement: (typeof enforcements)[number];
  openEndedHoldNanoUsd: bigint | null;
}

/** The hold that a limit chooses for open-ended requests, in nano-USD. Throws a 400: a hold of nothing is none. */
export function readOpenEndedHold(amount: string | number | null): bigint | null {
  if (amount === null) return null;
  const nanoUsd = readLimit("open_ended_hold_usd", amount);
  if (nanoUsd > 0n) return nanoUsd;
  throw refuseField("open_ended_hold_usd", "expected an amount above 0, or null.");
}

/**
 * Throws a 409 unless the limit is the one that the caller has seen: `ifVersion` is its version, null for none. Without
 * it whatever is there is changed.
 */
function checkVersion(limit: SpendLimit | null, ifVersion: number | null | undefined): void {
  if (ifVersion === undefined) return;
  const version = limit === null ? null : Number(limit.revision);
  if (version === ifVersion) return;
  const now =
    limit === null
      ? "There is none now: set if_version to null to make one."
      : `It is now $${formatUsd(limit.amountNanoUsd)} ${limit.period}, ${limit.enforcement}, at version ${version}. Look at it, then set if_version to ${version}.`;
  throw new ApiError(
    "version_conflict",
    `The spend limit was changed meanwhile. ${now}`,
    {},
    { version },
  );
}

/**
 * Makes the limit of (scope, period) what is wanted, or removes it for null; what is so already stays untouched.
 * `of` must be locked, so that what is written beside what was there is true. Throws what `checkVersion` throws.
 */
export async function changeLimit(
  tx: Tx,
  deps: { nowMs: () => number; randomBytes: RandomBytes },
  of: { organizationId: string; scopeType: ScopeType; scopeId: string; period: PeriodName },
  wanted: WantedLimit | null,
  ifVersion?: number | null,
): Promise<LimitChange> {
  const before = await findSpendLimit(tx, of);
  checkVersion(before, ifVersion);
  if (wanted === null) {
    if (before !== null) await deleteSpendLimit(tx, before);
    return { before, after: null };
  }
  const isSame =
    before?.amountNanoUsd === wanted.amountNanoUsd &&
    before.enforcement === wanted.enforcement &&
    before.openEndedHoldNanoUsd === wanted.openEndedHoldNanoUsd;
  if (isSame) return { before, after: before };
  const { organizationId, scopeType, scopeId, period } = of;
  const id = newId(idPrefixes.spendLimit, Math.floor(deps.nowMs()), deps.randomBytes);
  const row = { id, organizationId, scopeType, scopeId, period, ...wanted };
  return { before, after: await upsertSpendLimit(tx, row) };
}

export function auditOfSet(workspaceId: string | null, { before, after }: LimitChange) {
  const limit = after ?? before;
  if (limit === null || before === after) return "unchanged" as const;
  return {
    event: "spend_limit.set" as const,
    subject: { type: "spend_limit" as const, id: limit.id },
    workspaceId,
    before: before && toAudit(before),
    after: after && toAudit(after),
  };
}

export function auditOfDeleted(workspaceId: string | null, before: LimitRow) {
  return {
    event: "spend_limit.deleted" as const,
    subject: { type: "spend_limit" as const, id: before.id },
    workspaceId,
    before: toAudit(before),
    after: null,
  };
}

function toAudit(limit: LimitRow) {
  return {
    scope: { ...toWireScope(limit) },
    period: limit.period,
    limit_usd: formatUsd(limit.amountNanoUsd),
    enforcement: limit.enforcement,
    open_ended_hold_usd:
      limit.openEndedHoldNanoUsd === null ? null : formatUsd(limit.openEndedHoldNanoUsd),
  };
}
