import { z } from "zod";
import { count, timestamp } from "../fields.ts";
import { workspaceId } from "../ids.ts";
import { route } from "../route.ts";

/** Below that nobody could be reminded before. */
const MIN_ROTATION_DAYS = 2;
const MAX_ROTATION_DAYS = 3650;
const MAX_REMIND_DAYS = 90;
const MAX_GRACE_DAYS = 365;
const DEFAULT_DAYS = 14;

const rotationDays = z.int().min(MIN_ROTATION_DAYS).max(MAX_ROTATION_DAYS).nullable().meta({
  description: "Age in days at which a key must have got a new secret. Null: there is no policy.",
});
const remindDays = z.int().min(1).max(MAX_REMIND_DAYS).meta({
  description:
    "Days before, when the owner of the key is reminded by mail; for a key of the workspace, its Workspace Admins. Fewer than `rotation_days`; omitted, 14 or half of those.",
});
const graceDays = z.int().min(1).max(MAX_GRACE_DAYS).meta({
  description: "Days after, when a key that was not rotated expires.",
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
        "Since when the policy holds, or has been as strict. No key is due before `remind_days` from then on.",
    }),
    keys: z.object({ due_soon: count, overdue: count }).meta({
      description: "Working keys that are to be rotated now, before and after they were due.",
    }),
  })
  .meta({ id: "RotationPolicy" });

const params = z.strictObject({ workspace_id: workspaceId });

export const getRotationPolicy = route({
  operationId: "getRotationPolicy",
  method: "GET",
  path: "/v1/admin/workspaces/{workspace_id}/rotation_policy",
  summary: "Get how often the keys of a workspace are rotated",
  action: "workspaces:read",
  audited: null,
  params,
  response: rotationPolicy,
});

export const setRotationPolicy = route({
  operationId: "setRotationPolicy",
  method: "POST",
  path: "/v1/admin/workspaces/{workspace_id}/rotation_policy",
  summary: "Set how often the keys of a workspace are rotated",
  description:
    "Holds for every API key of the workspace, those that exist included; they are due after `remind_days` at the earliest. `rotation_days: null` removes the policy. A key that has expired by it is not rotated any more: another one is made.",
  action: "workspaces:write",
  audited: "rotation_policy.set",
  params,
  body: z.strictObject({
    rotation_days: rotationDays,
    remind_days: remindDays.optional(),
    grace_days: graceDays.default(DEFAULT_DAYS),
  }),
  response: rotationPolicy,
});

export const rotationPolicyRoutes = [getRotationPolicy, setRotationPolicy] as const;
