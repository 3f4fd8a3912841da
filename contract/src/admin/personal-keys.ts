import { z } from "zod";
import { instant, nameText, optionalQuery } from "../fields.ts";
import { apiKeyId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { workspaceRoles } from "../permissions.ts";
import { route } from "../route.ts";
import {
  allowedAddresses,
  allowedModels,
  allowedOrigins,
  apiKey,
  createdApiKey,
  gracePeriodSeconds,
  settableStatus,
} from "./api-keys.ts";

// Keys that members create for themselves, where a workspace allows personal keys or their role does.

/** Personal keys can have these permissions. */
const permissions = z.enum(["read", "write"]);
const keyParams = z.strictObject({ api_key_id: apiKeyId });

/** Workspace in which the caller can create a key now, with the rules for that key. */
export const personalKeyWorkspace = z
  .object({
    id: workspaceId,
    type: z.literal("personal_key_workspace"),
    name: z.string(),
    display_color: z.string(),
    role: z.enum(workspaceRoles).nullable().meta({
      description: "Role of the caller. Null: the first key makes the caller a Workspace User.",
    }),
    allowed_models: z.array(z.string()).nullable().meta({
      description: "Models that the workspace allows for personal keys. Null: all models.",
    }),
    max_lifetime_days: z.int().nullable().meta({
      description: "Longest lifetime of a new key. Null: no maximum.",
    }),
    max_keys: z.int().nullable().meta({
      description: "Highest number of the caller's working keys there. Null: no maximum.",
    }),
    keys: z.int().meta({ description: "Number of the caller's working keys there." }),
  })
  .meta({ id: "PersonalKeyWorkspace" });

export const getPersonalKeyOptions = route({
  operationId: "getPersonalKeyOptions",
  method: "GET",
  path: "/v1/admin/personal_key_options",
  summary: "Get the workspaces where you can create a key",
  description:
    "Lists up to 200 workspaces by name, those of the caller first. `contacts` are people who can allow personal keys or add the caller to a workspace.",
  action: "self:read",
  audited: null,
  query: z.strictObject({
    name: optionalQuery(nameText).meta({
      description: "Part of a workspace's name. Case-insensitive.",
    }),
  }),
  response: z.object({
    type: z.literal("personal_key_options"),
    workspaces: z.array(personalKeyWorkspace),
    has_more: z.boolean(),
    group_models: z.array(z.string()).nullable().meta({
      description: "Models that the caller's groups allow for personal keys. Null: all models.",
    }),
    contacts: z.array(z.object({ name: z.string(), email: z.string() })),
  }),
});

export const listPersonalKeys = route({
  operationId: "listPersonalKeys",
  method: "GET",
  path: "/v1/admin/personal_keys",
  summary: "List your own API keys",
  description: "Newest first, of all workspaces. Includes keys that stopped or are archived.",
  action: "self:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(apiKey),
});

export const createPersonalKey = route({
  operationId: "createPersonalKey",
  method: "POST",
  path: "/v1/admin/personal_keys",
  summary: "Create an API key for yourself",
  description:
    "The key belongs to the caller and stops with the caller. The response shows `key` once. The workspace must allow personal keys (`personal_keys`), or the caller's role there must allow the creation of keys. The first key in a workspace that allows everyone makes the caller a Workspace User. Its models, lifetime and number of keys follow the workspace's rules. A key inherits the restrictions that higher ranks have set on other keys of the caller in the workspace.",
  action: "personal_keys:write",
  audited: "api_key.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    workspace_id: workspaceId,
    permissions: z.array(permissions).min(1).max(permissions.options.length).optional(),
    expires_at: instant.nullable().optional(),
    allowed_models: allowedModels.optional(),
    allowed_addresses: allowedAddresses.optional(),
    allowed_origins: allowedOrigins.optional(),
  }),
  response: createdApiKey,
});

export const updatePersonalKey = route({
  operationId: "updatePersonalKey",
  method: "POST",
  path: "/v1/admin/personal_keys/{api_key_id}",
  summary: "Change, disable, enable or revoke your own API key",
  description:
    "Changes values of the rank `holder`. `archived` revokes the key, which cannot be undone. Enabling it needs the same rights as a new key. Omitted fields stay the same. Null removes a restriction.",
  action: "personal_keys:write",
  audited: "api_key.updated",
  stepUp: "if_wider",
  params: keyParams,
  body: z.strictObject({
    name: nameText.optional(),
    status: settableStatus.optional(),
    expires_at: instant.nullable().optional(),
    allowed_models: allowedModels.optional(),
    allowed_addresses: allowedAddresses.optional(),
    allowed_origins: allowedOrigins.optional(),
  }),
  response: apiKey,
});

export const rotatePersonalKey = route({
  operationId: "rotatePersonalKey",
  method: "POST",
  path: "/v1/admin/personal_keys/{api_key_id}/rotate",
  summary: "Rotate your own API key",
  description:
    "Creates a new secret, which the response shows once as `key`. Needs the same rights as a new key. The old secret works until the grace period ends. `cut_off_previous` ends an older secret at once.",
  action: "personal_keys:write",
  audited: "api_key.rotated",
  stepUp: true,
  params: keyParams,
  body: z.strictObject({
    grace_period_seconds: gracePeriodSeconds.default(0),
    cut_off_previous: z.boolean().default(false),
    expires_at: instant.nullable().optional(),
  }),
  response: createdApiKey,
});

export const personalKeyRoutes = [
  getPersonalKeyOptions,
  listPersonalKeys,
  createPersonalKey,
  updatePersonalKey,
  rotatePersonalKey,
] as const;
