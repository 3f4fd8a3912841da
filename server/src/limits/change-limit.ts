import type { WireScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { type LockedScope, lockScope } from "#src/access/limited-scope.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import type { Limit, LimitKind, SaveDeps, ScopeOfLimit } from "./limit-kind.ts";
import { getLimit, limitNotFound } from "./visible-limits.ts";

/** One limit before and after a change. Null: there is none. */
export interface LimitChange<Stored extends Limit> {
  before: Stored | null;
  after: Stored | null;
}

/** Scope that stays locked until the transaction ends. */
export type ScopeForChange = ScopeOfLimit & LockedScope;

/**
 * Locks the scope, changes one of its limits in `work`, and writes the audit event of the change. Requests a step-up for a
 * wider limit. Throws what `lockScope` and `work` throw.
 */
export function changeInScope<Stored extends Limit, Result>(
  kind: LimitKind<Stored>,
  deps: AuditDeps,
  { call: { caller, origin }, scope: wireScope }: { call: Call; scope: WireScope },
  work: (tx: Tx, scope: ScopeForChange) => Promise<{ change: LimitChange<Stored>; result: Result }>,
): Promise<Result> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const scope = await lockScope(tx, caller, wireScope, `${kind.type}s`);
    const { change, result } = await work(tx, { ...scope, organizationId });
    if (kind.isWider(change.before, change.after)) checkStepUp(caller, deps.nowMs());
    return { result, audit: auditLimitChange(kind, "set", scope, change) };
  });
}

interface WantedChange<Stored extends Limit, Place, Wanted> {
  /** The caller has locked the scope, so that no other change comes between. */
  of: ScopeOfLimit & Place;
  /** Returns null to delete the limit. */
  wanted: (before: Stored | null) => Wanted | null;
  /** Version that the client has seen. Null: no limit. Undefined: any. */
  ifVersion?: number | null | undefined;
}

/**
 * Creates, replaces or deletes the limit of one place. Changes nothing where the limit is already as wanted. Throws a 409
 * for another version than `ifVersion`, and what `wanted` throws.
 */
export async function changeLimit<Stored extends Limit, Place, Wanted>(
  kind: LimitKind<Stored, Place, Wanted>,
  tx: Tx,
  deps: SaveDeps,
  { of, wanted: readWanted, ifVersion }: WantedChange<Stored, Place, Wanted>,
): Promise<LimitChange<Stored>> {
  const before = await kind.find(tx, of);
  checkVersion(kind, before, ifVersion);
  const wanted = readWanted(before);
  if (wanted === null) {
    if (before !== null) await kind.delete(tx, before);
    return { before, after: null };
  }
  if (before !== null && kind.isSame(before, wanted)) return { before, after: before };
  return { before, after: await kind.save(tx, deps, { ...of, ...wanted }) };
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

/** Throws what `getLimit` and `lockScope` throw. */
export function deleteLimit<Stored extends Limit>(
  kind: LimitKind<Stored>,
  deps: AuditDeps,
  { caller, origin }: Call,
  of: { id: string; scopeTypes?: readonly ScopeType[] | undefined },
): Promise<void> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const found = await getLimit(kind, tx, caller, of);
    const scope = await lockScope(tx, caller, toWireScope(found), `${kind.type}s`);
    // Another change may have deleted or replaced it before the lock. The log has what is deleted now.
    const before = await kind.delete(tx, found);
    if (before === null) throw limitNotFound(kind);
    return {
      result: undefined,
      audit: auditLimitChange(kind, "deleted", scope, { before, after: null }),
    };
  });
}

/** Returns the audit entry of a change, or "unchanged". A limit that is set to null has the event "set" too. */
export function auditLimitChange<Stored extends Limit>(
  kind: LimitKind<Stored>,
  verb: "set" | "deleted",
  { workspaceId }: LockedScope,
  { before, after }: LimitChange<Stored>,
): AuditEntry | "unchanged" {
  const limit = after ?? before;
  if (limit === null || before === after) return "unchanged";
  const toAudit = (each: Stored) => ({ scope: { ...toWireScope(each) }, ...kind.toAudit(each) });
  return {
    event: `${kind.type}.${verb}`,
    subject: { type: kind.type, id: limit.id },
    workspaceId,
    before: before && toAudit(before),
    after: after && toAudit(after),
  };
}
