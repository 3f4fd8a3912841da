import { z } from "zod";
import { count, timestamp } from "../fields.ts";
import { workspaceId } from "../ids.ts";
import { route } from "../route.ts";

/** A shorter age leaves no time for a reminder. */
const MIN_ROTATION_DAYS = 2;
const MAX_ROTATION_DAYS = 3650;
const MAX_REMIND_DAYS = 90;
const MAX_GRACE_DAYS = 365;
const DEFAULT_DAYS = 14;

const rotationDays = z.int().min(MIN_ROTATION_DAYS).max(MAX_ROTATION_DAYS).nullable().meta({
  description: "Highest age of a secret, in days. Null: no policy.",
});
const remindDays = z.int().min(1).max(MAX_REMIND_DAYS).meta({
  description:
    "Days before a rotation is due, when the key's owner gets a reminder by e-mail. For a key of the workspace, its Workspace Admins get it. Must be fewer than `rotation_days`. Default: 14, or half of `rotation_days`.",
});
const graceDays = z.int().min(1).max(MAX_GRACE_DAYS).meta({
  description: "Days after a rotation is due, when a key without a new secret expires.",
});

export const rotationPolicy = z
  .object({
    type: z.literal("rotation_policy"),
    workspace_id: workspaceId,
    rotation_days: rotationDays,
    remind_days: remindDays.nullable(),
    grace_days: graceDays.nullable(),
    effective_at: timestamp.nullable().meta({
      description:
        "Start of the policy, or of its current strictness. No key is due within `remind_days` of this time.",
    }),
    keys: z.object({ due_soon: count, overdue: count }).meta({
      description: "Working keys that need a rotation now: due soon, and overdue.",
    }),
  })
  .meta({ id: "RotationPolicy" });

const params = z.strictObject({ workspace_id: workspaceId });

export const getRotationPolicy = route({
  operationId: "getRotationPolicy",
  method: "GET",
  path: "/v1/admin/workspaces/{workspace_id}/rotation_policy",
  summary: "Get the rotation policy of a workspace",
  action: "workspaces:read",
  audited: null,
  params,
  response: rotationPolicy,
});

export const setRotationPolicy = route({
  operationId: "setRotationPolicy",
  method: "POST",
  path: "/v1/admin/workspaces/{workspace_id}/rotation_policy",
  summary: "Set the rotation policy of a workspace",
  description:
    "Applies to every API key of the workspace. Existing keys are due after `remind_days` at the earliest. `rotation_days: null` removes the policy. A key that expired by the policy cannot be rotated. Create a new key instead.",
  action: "workspaces:write",
  audited: "rotation_policy.set",
  stepUp: "if_wider",
  params,
  body: z.strictObject({
    rotation_days: rotationDays,
    remind_days: remindDays.optional(),
    grace_days: graceDays.default(DEFAULT_DAYS),
  }),
  response: rotationPolicy,
});

export const rotationPolicyRoutes = [getRotationPolicy, setRotationPolicy] as const;
