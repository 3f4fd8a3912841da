import type {
  rotationPolicy,
  rotationPolicyRoutes,
} from "@bursar/contract/admin/rotation-policies.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { getRotationPolicy, type PolicyView, setRotationPolicy } from "./rotation-policies.ts";

export function makeRotationPolicyHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof rotationPolicyRoutes)[number], Call> {
  return {
    getRotationPolicy: async (call, { params: { workspace_id: id } }) =>
      toWire(id, await getRotationPolicy(deps, call, id)),
    setRotationPolicy: async (call, { params: { workspace_id: id }, body }) =>
      toWire(id, await setRotationPolicy(deps, call, id, body)),
  };
}

function toWire(
  workspaceId: string,
  { policy, dueSoon, overdue }: PolicyView,
): z.input<typeof rotationPolicy> {
  return {
    type: "rotation_policy",
    workspace_id: workspaceId,
    rotation_days: policy?.rotationDays ?? null,
    remind_days: policy?.remindDays ?? null,
    grace_days: policy?.graceDays ?? null,
    effective_at: policy && new Date(policy.effectiveAtMs).toISOString(),
    keys: { due_soon: dueSoon, overdue },
  };
}
