import { z } from "zod";
import { shownOnce, timestamp } from "../fields.ts";
import { apiKeyId, waitingSecretId, workspaceId } from "../ids.ts";
import { route } from "../route.ts";

// Secrets of personal keys that someone else created or rotated. Only the owner of the key sees the secret.

export const waitingSecret = z
  .object({
    id: waitingSecretId,
    type: z.literal("waiting_secret"),
    api_key_id: apiKeyId,
    api_key_name: z.string(),
    workspace_id: workspaceId,
    partial_key_hint: z.string(),
    reason: z.enum(["created", "rotated"]),
    created_by: z.object({ type: z.string(), id: z.string() }),
    created_at: timestamp,
    expires_at: timestamp,
  })
  .meta({ id: "WaitingSecret" });

export const listWaitingSecrets = route({
  operationId: "listWaitingSecrets",
  method: "GET",
  path: "/v1/admin/waiting_secrets",
  summary: "List the secrets that wait for you",
  description:
    "Lists secrets of your own API keys that someone else created or rotated. A secret waits for seven days.",
  action: "self:read",
  audited: null,
  response: z.object({ data: z.array(waitingSecret) }),
});

export const revealWaitingSecret = route({
  operationId: "revealWaitingSecret",
  method: "POST",
  path: "/v1/admin/waiting_secrets/{waiting_secret_id}/reveal",
  summary: "Show a waiting secret once",
  description: "Deletes the stored secret, so that no later call can show it.",
  action: "personal_keys:write",
  audited: "api_key.secret_shown",
  stepUp: true,
  params: z.strictObject({ waiting_secret_id: waitingSecretId }),
  response: z.object({
    type: z.literal("revealed_secret"),
    api_key_id: apiKeyId,
    key: z
      .string()
      .meta({ description: "The secret, `sk-ant-api03-…`. Shown once.", ...shownOnce }),
  }),
});

export const waitingSecretRoutes = [listWaitingSecrets, revealWaitingSecret] as const;
