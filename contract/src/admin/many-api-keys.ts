import { z } from "zod";
import { count, lineText, nameText, timestamp } from "../fields.ts";
import { apiKeyId, workspaceId } from "../ids.ts";
import { route } from "../route.ts";
import { apiKeyStatus, newKeySettings, newSecret } from "./api-keys.ts";

// Changes of many API keys in one transaction: all of them, or none.

export const MAX_KEYS_AT_ONCE = 500;
const MAX_PREFIX_LENGTH = 90;

/** Secrets are in the response once, so a key has no more than what its file needs. */
const createdKey = z
  .object({ id: apiKeyId, name: z.string(), partial_key_hint: z.string(), ...newSecret })
  .meta({ id: "CreatedApiKeyOfMany" });

export const createApiKeys = route({
  operationId: "createApiKeys",
  method: "POST",
  path: "/v1/admin/api_keys/create",
  summary: "Create many API keys",
  description:
    "Creates up to 500 keys with the same settings, all or none. `names` names each key. `name_prefix` and `count` number them instead: `ci-` and 20 create `ci-01` to `ci-20`. The response shows each secret once. Secrets of keys of another member wait for that member, who gets one e-mail for all of them. Each key has its own audit event. All other rules are those of one key.",
  action: "api_keys:write",
  audited: "api_key.created",
  stepUp: true,
  body: z.strictObject({
    ...newKeySettings,
    names: z.array(nameText).min(1).max(MAX_KEYS_AT_ONCE).optional().meta({
      description: "Name of each key. No name is twice in the list.",
    }),
    name_prefix: lineText(MAX_PREFIX_LENGTH).optional(),
    count: z.int().min(1).max(MAX_KEYS_AT_ONCE).optional().meta({
      description: "Number of keys whose names begin with `name_prefix`.",
    }),
  }),
  response: z
    .object({
      type: z.literal("created_api_keys"),
      workspace_id: workspaceId,
      expires_at: timestamp.nullable(),
      data: z.array(createdKey),
    })
    .meta({ id: "CreatedApiKeys" }),
});

const someKeys = z.strictObject({
  ids: z.array(apiKeyId).min(1).max(MAX_KEYS_AT_ONCE),
});

const stoppedKeys = z
  .object({
    type: z.literal("stopped_api_keys"),
    changed: count.meta({ description: "Keys that this call has changed." }),
    data: z.array(
      z.object({ id: apiKeyId, name: z.string(), workspace_id: workspaceId, status: apiKeyStatus }),
    ),
  })
  .meta({ id: "StoppedApiKeys" });

const allOrNone =
  "Changes all keys or none. A refusal lists each key that cannot change in `error.details.fields`, as `ids.0`. Each changed key has its own audit event.";

export const disableApiKeys = route({
  operationId: "disableApiKeys",
  method: "POST",
  path: "/v1/admin/api_keys/disable",
  summary: "Disable many API keys",
  description: `Disables up to 500 keys, which can be enabled again. ${allOrNone}`,
  action: "api_keys:write",
  audited: "api_key.updated",
  body: someKeys,
  response: stoppedKeys,
});

export const archiveApiKeys = route({
  operationId: "archiveApiKeys",
  method: "POST",
  path: "/v1/admin/api_keys/archive",
  summary: "Revoke many API keys",
  description: `Archives up to 500 keys, which cannot be undone. ${allOrNone}`,
  action: "api_keys:write",
  audited: "api_key.updated",
  body: someKeys,
  response: stoppedKeys,
});

export const manyApiKeyRoutes = [createApiKeys, disableApiKeys, archiveApiKeys] as const;
