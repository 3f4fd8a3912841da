import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { getActiveWorkspaceForChange, getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { isRotationLooser } from "#src/domain/wider-access.ts";
import { type AgingKey, listAgingKeys } from "./aging-keys.sql.ts";
import {
  deleteRotationPolicy,
  findRotationPolicies,
  saveRotationPolicy,
} from "./rotation-policies.sql.ts";
import {
  computeRotationTimes,
  findRotationStep,
  isStricter,
  type RotationPolicy,
} from "./rotation-policy.rule.ts";

export interface PolicyView {
  policy: RotationPolicy | null;
  dueSoon: number;
  overdue: number;
}

/** Throws a 404 for an unknown workspace. */
export async function getRotationPolicy(
  deps: AuditDeps,
  { caller }: Call,
  workspaceId: string,
): Promise<PolicyView> {
  await getVisibleWorkspace(deps.database, caller, "workspaces:read", workspaceId);
  const policy = (await findRotationPolicies(deps.database, [workspaceId])).get(workspaceId);
  return describePolicy(deps.database, workspaceId, policy ?? null, deps.nowMs());
}

const DEFAULT_REMIND_DAYS = 14;

export interface NewPolicy {
  rotation_days: number | null;
  remind_days?: number | undefined;
  grace_days: number;
}

/**
 * Replaces the policy, or removes it when `rotation_days` is null. Throws a 404, a 403 for a caller that can only read the
 * workspace, and a 400 for an archived workspace. Throws a 400 unless `remind_days` is less than `rotation_days`.
 */
export function setRotationPolicy(
  deps: AuditDeps,
  { caller, origin }: Call,
  workspaceId: string,
  input: NewPolicy,
): Promise<PolicyView> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await getActiveWorkspaceForChange(tx, caller, "workspaces:write", workspaceId);
    const before = (await findRotationPolicies(tx, [workspaceId])).get(workspaceId) ?? null;
    const after = buildPolicy(before, input, nowMs);
    const result = await describePolicy(tx, workspaceId, after, nowMs);
    if (JSON.stringify(before) === JSON.stringify(after)) return { result, audit: "unchanged" };
    if (isRotationLooser(before, after)) checkStepUp(caller, nowMs);
    if (after === null) await deleteRotationPolicy(tx, workspaceId);
    else await saveRotationPolicy(tx, workspaceId, after);
    return {
      result: after === null ? result : await describePolicy(tx, workspaceId, after, nowMs),
      audit: {
        event: "rotation_policy.set",
        subject: { type: "rotation_policy", id: workspaceId },
        workspaceId,
        before: before && toAudit(before),
        after: after && toAudit(after),
      },
    };
  });
}

function buildPolicy(
  before: RotationPolicy | null,
  input: NewPolicy,
  nowMs: number,
): RotationPolicy | null {
  if (input.rotation_days === null) return null;
  const { rotation_days: rotationDays } = input;
  const remindDays =
    input.remind_days ?? Math.min(DEFAULT_REMIND_DAYS, Math.floor(rotationDays / 2));
  if (remindDays >= rotationDays) {
    throw refuseField("remind_days", "expected fewer days than rotation_days.");
  }
  const policy = {
    rotationDays,
    remindDays,
    graceDays: input.grace_days,
    effectiveAtMs: before?.effectiveAtMs ?? nowMs,
  };
  // A stricter policy takes effect now, so that owners of keys get its reminder in time.
  return before !== null && isStricter(policy, before)
    ? { ...policy, effectiveAtMs: nowMs }
    : policy;
}

async function describePolicy(
  db: Database | Tx,
  workspaceId: string,
  policy: RotationPolicy | null,
  nowMs: number,
): Promise<PolicyView> {
  if (policy === null) return { policy, dueSoon: 0, overdue: 0 };
  const aging = await listAgingKeys(db, { now: new Date(nowMs), workspaceId });
  const steps = aging.map((key) => findAgingKeyStep(key, nowMs));
  return {
    policy,
    dueSoon: steps.filter((step) => step === "due").length,
    overdue: steps.filter((step) => step === "overdue" || step === "expired").length,
  };
}

/** Returns the step that the policy of the key requires now, or null. */
export function findAgingKeyStep(key: AgingKey, nowMs: number) {
  return findRotationStep(computeAgingKeyTimes(key), nowMs);
}

export function computeAgingKeyTimes(key: AgingKey) {
  return computeRotationTimes(key.secret_created_at.getTime(), {
    rotationDays: key.rotation_days,
    remindDays: key.remind_days,
    graceDays: key.grace_days,
    effectiveAtMs: key.effective_at.getTime(),
  });
}

function toAudit({ rotationDays, remindDays, graceDays }: RotationPolicy) {
  return { rotation_days: rotationDays, remind_days: remindDays, grace_days: graceDays };
}
