import { includesRank, type Rank, rankNames } from "@bursar/contract/permissions.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import { denied } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { type LockedScope, lockScope } from "#src/access/limited-scope.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type Caller, toWireMaker } from "#src/domain/caller.ts";
import { rankOf } from "#src/domain/rank.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import type { Limit, LimitKind, SaveDeps, ScopeOfLimit } from "./limit-kind.ts";
import {
  findValueAbove,
  type LimitSetter,
  type LimitValue,
  removeValues,
  setValue,
} from "./limit-values.rule.ts";
import { readValues, saveLimit } from "./limit-values.ts";
import { getLimit, limitNotFound } from "./visible-limits.ts";

/** One limit in force before and after a change, with its values. Null: there is none. */
export interface LimitChange<Stored extends Limit, Wanted = unknown> {
  before: Stored | null;
  after: Stored | null;
  valuesBefore: readonly LimitValue<Wanted>[];
  values: readonly LimitValue<Wanted>[];
}

/** Scope that stays locked until the transaction ends, with the rank of the change. */
export type ScopeForChange = ScopeOfLimit & LockedScope & { setter: LimitSetter };

/**
 * Locks the scope, changes one of its limits in `work`, and writes the audit event of the change. Requests a step-up for a
 * wider limit. Throws what `lockScope`, `readSetter` and `work` throw.
 */
export function changeInScope<Stored extends Limit & Place, Place, Wanted, Result>(
  kind: LimitKind<Stored, Place, Wanted>,
  deps: AuditDeps,
  { call, scope: wireScope, rank }: { call: Call; scope: WireScope; rank?: Rank | undefined },
  work: (
    tx: Tx,
    scope: ScopeForChange,
  ) => Promise<{ change: LimitChange<Stored, Wanted>; result: Result }>,
): Promise<Result> {
  const { caller, origin } = call;
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const scope = await lockScope(tx, caller, wireScope, `${kind.type}s`);
    const setter = readSetter(caller, scope, rank);
    const { change, result } = await work(tx, { ...scope, organizationId, setter });
    if (kind.isWider(change.before, change.after)) checkStepUp(caller, deps.nowMs());
    const effects = await applyEffects(kind, tx, deps, {
      ...scope,
      organizationId,
      setter,
      change,
    });
    return { result, audit: auditLimitChange(kind, "set", scope, { ...change, effects }) };
  });
}

/** Throws a 403 for a rank above that of the caller. */
export function readSetter(
  caller: Caller,
  { workspaceId }: LockedScope,
  named: Rank | undefined,
): LimitSetter {
  const own = rankOf(caller, workspaceId, "limits");
  const rank = named ?? own;
  if (!includesRank(own, rank)) {
    throw denied(
      `You change limits as ${rankNames[own]} here, so you cannot change a value of ${rankNames[rank]}.`,
    );
  }
  return { type: caller.kind, id: caller.id, rank, isRankNamed: named !== undefined };
}

interface WantedChange<Stored extends Limit, Place, Wanted> {
  /** The caller has locked the scope, so that no other change comes between. */
  of: ScopeOfLimit & Place & { setter: LimitSetter };
  /** Returns the new value of the setter's rank. Null removes values. `own` is the present one. */
  wanted: (own: Wanted | null, before: Stored | null) => Wanted | null;
  /** Version that the client has seen. Null: no limit. Undefined: any. */
  ifVersion?: number | null | undefined;
}

/**
 * Sets or removes values of one limit. Changes nothing where they are already as wanted. Throws a 409 for another version
 * than `ifVersion`, and what `wanted` and `checkChange` throw. If nothing can be removed, throws a 403 for values of higher ranks
 * and a 400 for an inherited limit.
 */
export async function changeLimit<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  tx: Tx,
  deps: SaveDeps,
  { of, wanted: readWanted, ifVersion }: WantedChange<Stored, Place, Wanted>,
): Promise<LimitChange<Stored, Wanted>> {
  const before = await kind.find(tx, of);
  checkVersion(kind, before, ifVersion);
  const [valuesBefore = []] = await readValues(kind, tx, before === null ? [] : [before]);
  const { setter } = of;
  const own = valuesBefore.find(({ rank }) => rank === setter.rank)?.wanted ?? null;
  const wanted = readWanted(own, before);
  const isSame = own === null || wanted === null ? own === wanted : kind.isSame(own, wanted);
  const unchanged = { before, after: before, valuesBefore, values: valuesBefore };
  if (wanted === null) {
    const values = removeValues(valuesBefore, setter);
    if (values.length < valuesBefore.length) {
      return saveValues(kind, tx, deps, { of, before, valuesBefore, values });
    }
    checkNothingAbove(kind, before, valuesBefore, setter.rank);
    const refusal = before && (await kind.findInheritedRefusal?.(tx, before));
    if (refusal) throw refusal;
    return unchanged;
  }
  if (isSame) return unchanged;
  const { type, id, rank } = setter;
  const setAtMs = deps.nowMs();
  const values = setValue(valuesBefore, { rank, wanted, setBy: { type, id }, setAtMs });
  return saveValues(kind, tx, deps, { of, before, valuesBefore, values });
}

interface ValuesChange<Stored extends Limit, Place, Wanted> {
  of: ScopeOfLimit & Place & { setter: LimitSetter };
  before: Stored | null;
  valuesBefore: readonly LimitValue<Wanted>[];
  values: readonly LimitValue<Wanted>[];
}

async function saveValues<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  tx: Tx,
  deps: SaveDeps,
  { of, before, valuesBefore, values }: ValuesChange<Stored, Place, Wanted>,
): Promise<LimitChange<Stored, Wanted>> {
  const after = await saveLimit(kind, tx, deps, { of, before, values });
  const { organizationId, setter } = of;
  await kind.checkChange(tx, {
    organizationId,
    setter,
    before: before && kind.toWanted(before),
    after: after && kind.toWanted(after),
  });
  return { before, after, valuesBefore, values };
}

function checkNothingAbove<Stored extends Limit>(
  kind: LimitKind<Stored>,
  limit: Stored | null,
  values: readonly LimitValue<unknown>[],
  rank: Rank,
): void {
  const above = findValueAbove(values, rank);
  if (limit !== null && above !== null) throw refuseSetAbove(kind.describe(limit), above);
}

/** Refusal of a change that only a higher rank can make. `limit` is the limit in force, for people. */
export function refuseSetAbove(limit: string, { rank, setBy }: LimitValue<unknown>): ApiError {
  const set_by = toWireSetter(setBy);
  return new ApiError(
    "limit_set_above",
    `The limit is ${limit}, set by ${rankNames[rank]}${set_by ? ` (${set_by.id})` : ""}. Only ${rankNames[rank]} or a higher rank can raise or remove it.`,
    {},
    { set_above: { rank, set_by } },
  );
}

/** Setter of a value in the API's terms. */
export function toWireSetter(
  setBy: LimitValue<unknown>["setBy"],
): { type: string; id: string } | null {
  return setBy && toWireMaker({ created_by_type: setBy.type, created_by_id: setBy.id });
}

function checkVersion<Stored extends Limit>(
  kind: LimitKind<Stored>,
  limit: Stored | null,
  ifVersion: number | null | undefined,
): void {
  if (ifVersion === undefined) return;
  const version = limit && Number(limit.revision);
  if (version === ifVersion) return;
  const now =
    limit === null
      ? "No limit is set now: set if_version to null to create one."
      : `The limit is now ${kind.describe(limit)}, at version ${version}. Review it, then set if_version to ${version}.`;
  throw new ApiError(
    "version_conflict",
    `The ${kind.name.toLowerCase()} was changed meanwhile. ${now}`,
    {},
    { version },
  );
}

/** Removes values, and returns those that stay. Throws what `getLimit`, `lockScope` and `changeLimit` throw. */
export function deleteLimit<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  deps: AuditDeps,
  { caller, origin }: Call,
  of: { id: string; scopeTypes?: readonly ScopeType[] | undefined; rank?: Rank | undefined },
): Promise<readonly LimitValue<Wanted>[]> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const { id, scopeTypes, rank } = of;
    const found = await getLimit(kind, tx, caller, { id, scopeTypes });
    const scope = await lockScope(tx, caller, toWireScope(found), `${kind.type}s`);
    const setter = readSetter(caller, scope, rank);
    const place = { ...found, ...scope, organizationId, setter };
    const change = await changeLimit(kind, tx, deps, { of: place, wanted: () => null });
    // Another change may have deleted or replaced it before the lock.
    if (change.before?.id !== id || change.before === change.after) throw limitNotFound(kind);
    const verb = change.after === null ? "deleted" : "set";
    const effects = await applyEffects(kind, tx, deps, {
      ...scope,
      organizationId,
      setter,
      change,
    });
    const audit = auditLimitChange(kind, verb, scope, { ...change, effects });
    return { result: change.values, audit };
  });
}

async function applyEffects<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  tx: Tx,
  deps: SaveDeps,
  { change, ...scope }: ScopeForChange & { change: LimitChange<Stored, Wanted> },
): Promise<{ readonly [field: string]: JsonValue }> {
  return change.before === change.after ? {} : kind.applyEffects(tx, deps, scope);
}

/** Returns the audit entry of a change, or "unchanged". A limit that is set to null has the event "set" too. */
export function auditLimitChange<Stored extends Limit & Place, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  verb: "set" | "deleted",
  { workspaceId }: LockedScope,
  change: LimitChange<Stored, Wanted> & { effects?: { readonly [field: string]: JsonValue } },
): AuditEntry | "unchanged" {
  const { before, after, valuesBefore, values, effects } = change;
  const limit = after ?? before;
  if (limit === null || before === after) return "unchanged";
  const toAudit = (each: Stored, its: readonly LimitValue<Wanted>[]) => ({
    scope: { ...toWireScope(each) },
    ...kind.placeToAudit(each),
    ...kind.toAudit(kind.toWanted(each)),
    values: Object.fromEntries(
      its.map(({ rank, wanted }): [Rank, JsonValue] => [rank, kind.toAudit(wanted)]),
    ),
  });
  return {
    event: `${kind.type}.${verb}`,
    subject: { type: kind.type, id: limit.id },
    workspaceId,
    before: before && { ...toAudit(before, valuesBefore), ...(after === null && effects) },
    after: after && { ...toAudit(after, values), ...effects },
  };
}
