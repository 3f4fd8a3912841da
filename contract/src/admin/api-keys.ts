import { z } from "zod";
import { instant, nameText, optionalQuery, timestamp } from "../fields.ts";
import { apiKeyId, memberId, workspaceId } from "../ids.ts";
import { page, pageCursor, pageCursorQuery, pageQuery } from "../paging.ts";
import { keyPermissions } from "../permissions.ts";
import { route } from "../route.ts";

const status = z.enum(["active", "inactive", "archived", "expired"]);
/** Expiry is a fact of the clock and cannot be set. */
const settableStatus = z.enum(["active", "inactive", "archived"]);
const apiKeyParams = z.strictObject({ api_key_id: apiKeyId });

/** Company shape. */
export const apiKey = z
  .object({
    id: apiKeyId,
    type: z.literal("api_key"),
    name: z.string(),
    workspace_id: workspaceId,
    permissions: z.array(z.enum(keyPermissions)),
    status,
    partial_key_hint: z.string(),
    created_by: z.object({ type: z.string(), id: z.string() }),
    created_at: timestamp,
    expires_at: timestamp.nullable(),
  })
  .meta({ id: "ApiKey" });

/** The only answer that ever carries the secret. */
export const createdApiKey = z
  .object({
    ...apiKey.shape,
    key: z.string().meta({
      description: "The secret, `sk-ant-api03-…`. Shown this once: only its hash is kept.",
    }),
  })
  .meta({ id: "CreatedApiKey" });

export const createApiKey = route({
  operationId: "createApiKey",
  method: "POST",
  path: "/v1/admin/api_keys",
  summary: "Create an API key",
  description:
    "The answer's `key` is shown once. `permissions` holds one or more of read ⊂ write ⊂ admin; the strongest counts and is what is kept. Nobody makes a key that may do more in the workspace than its maker.",
  action: "api_keys:write",
  audited: "api_key.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    workspace_id: workspaceId,
    permissions: z.array(z.enum(keyPermissions)).min(1).max(keyPermissions.length).optional(),
    expires_at: instant.nullable().optional(),
  }),
  response: createdApiKey,
});

export const listApiKeys = route({
  operationId: "listApiKeys",
  method: "GET",
  path: "/v1/admin/api_keys",
  summary: "List API keys",
  description: "Newest first.",
  action: "api_keys:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    workspace_id: optionalQuery(workspaceId),
    status: optionalQuery(status),
    name: optionalQuery(nameText).meta({
      description: "Text that the name contains, whatever its case.",
    }),
  }),
  response: pageCursor(apiKey),
});

export const getApiKey = route({
  operationId: "getApiKey",
  method: "GET",
  path: "/v1/admin/api_keys/{api_key_id}",
  summary: "Get an API key",
  action: "api_keys:read",
  audited: null,
  params: apiKeyParams,
  response: apiKey,
});

export const updateApiKey = route({
  operationId: "updateApiKey",
  method: "POST",
  path: "/v1/admin/api_keys/{api_key_id}",
  summary: "Rename, disable, enable or archive an API key",
  description: "Archiving cannot be undone. An expired key can only be archived.",
  action: "api_keys:write",
  audited: "api_key.updated",
  params: apiKeyParams,
  body: z.strictObject({ name: nameText.optional(), status: settableStatus.optional() }),
  response: apiKey,
});

/**
 * Official shape, plus `workspace_id`, which clients of the previous API version read. `created_by` can name a person or
 * a service account only; a key that another key made has none there.
 */
export const officialApiKey = z
  .object({
    id: apiKeyId,
    type: z.literal("api_key"),
    name: z.string(),
    status,
    created_at: timestamp,
    created_by: z.object({ id: memberId, type: z.literal("user") }).nullable(),
    expires_at: timestamp.nullable(),
    partial_key_hint: z.string(),
    principal: z.null(),
    scope: z.object({ type: z.literal("workspace"), workspace_id: workspaceId }),
    workspace_id: workspaceId,
  })
  .meta({ id: "OfficialApiKey" });

export const listOfficialApiKeys = route({
  operationId: "listOfficialApiKeys",
  method: "GET",
  path: "/v1/organizations/api_keys",
  summary: "List API keys (official shape)",
  action: "api_keys:read",
  audited: null,
  query: z.strictObject({
    ...pageQuery,
    created_by_user_id: optionalQuery(memberId).meta({
      description: "Keys that this person made.",
    }),
    status: optionalQuery(status),
    workspace_id: optionalQuery(workspaceId),
  }),
  response: page(officialApiKey),
});

export const getOfficialApiKey = route({
  operationId: "getOfficialApiKey",
  method: "GET",
  path: "/v1/organizations/api_keys/{api_key_id}",
  summary: "Get an API key (official shape)",
  action: "api_keys:read",
  audited: null,
  params: apiKeyParams,
  response: officialApiKey,
});

export const updateOfficialApiKey = route({
  operationId: "updateOfficialApiKey",
  method: "POST",
  path: "/v1/organizations/api_keys/{api_key_id}",
  summary: "Update an API key (official shape)",
  action: "api_keys:write",
  audited: "api_key.updated",
  params: apiKeyParams,
  body: z.strictObject({
    name: nameText.nullable().optional(),
    status: settableStatus.nullable().optional(),
  }),
  response: officialApiKey,
});

export const apiKeyRoutes = [
  createApiKey,
  listApiKeys,
  getApiKey,
  updateApiKey,
  listOfficialApiKeys,
  getOfficialApiKey,
  updateOfficialApiKey,
] as const;
