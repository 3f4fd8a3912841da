import { z } from "zod";
import { instant, nameText, optionalQuery, queryFlag, timestamp, usdText } from "../fields.ts";
import { apiKeyId, memberId, modelName, workspaceId } from "../ids.ts";
import { page, pageCursor, pageCursorQuery, pageQuery } from "../paging.ts";
import { keyPermissions } from "../permissions.ts";
import { route } from "../route.ts";
import { keyIssue } from "./key-hygiene.ts";

const status = z.enum(["active", "inactive", "archived", "expired"]);
/** Expiry is a fact of the clock and cannot be set. */
const settableStatus = z.enum(["active", "inactive", "archived"]);
const apiKeyParams = z.strictObject({ api_key_id: apiKeyId });

const MAX_ALLOWED = 100;
const allowedModels = z
  .array(
    modelName.regex(
      /^[^*]+\*?$/,
      "expected the name of a model, or the beginning of names and a *",
    ),
  )
  .min(1)
  .max(MAX_ALLOWED)
  .nullable()
  .meta({
    description:
      "Models the key may call: names, each for its model under any of the model's names, or beginnings such as `claude-haiku-*`. Null: all.",
  });
const MAX_RANGE_LENGTH = 60;
const allowedAddresses = z
  .array(z.string().max(MAX_RANGE_LENGTH))
  .min(1)
  .max(MAX_ALLOWED)
  .nullable()
  .meta({
    description:
      "Addresses and CIDR ranges, IPv4 or IPv6, that the key may be used from. Null: from everywhere.",
  });
const MAX_GRACE_SECONDS = 30 * 86_400;

/** At most a minute late: nodes write it together. */
const lastUsed = z
  .object({ at: timestamp, address: z.string().nullable(), model: z.string().nullable() })
  .nullable()
  .meta({
    description:
      "The newest use, at most a minute late; `model` is null for a call that names none. Null: never.",
  });

/** A secret of a key that works: the current one, and after a rotation for a while the one before. */
const apiKeySecret = z.object({
  partial_key_hint: z.string(),
  created_at: timestamp,
  valid_until: timestamp.nullable().meta({
    description: "When the secret stops because it was rotated. Null: it is the current one.",
  }),
  last_used: lastUsed,
});

/** Company shape. */
export const apiKey = z
  .object({
    id: apiKeyId,
    type: z.literal("api_key"),
    name: z.string(),
    workspace_id: workspaceId,
    owner: z.discriminatedUnion("type", [
      z.object({ type: z.literal("workspace") }),
      z.object({ type: z.literal("member"), id: memberId, name: z.string(), email: z.string() }),
    ]),
    permissions: z.array(z.enum(keyPermissions)),
    status,
    stopped_because: z
      .enum(["owner_deactivated", "owner_removed", "owner_outside_workspace"])
      .nullable()
      .meta({ description: "Why a key whose owner is a person does not work, beside its status." }),
    allowed_models: z.array(z.string()).nullable(),
    allowed_addresses: z.array(z.string()).nullable(),
    partial_key_hint: z.string(),
    secrets: z.array(apiKeySecret).meta({
      description:
        "The secrets that work, newest first: one, or two in the grace period of a rotation.",
    }),
    last_used: lastUsed,
    spent_month_usd: usdText.meta({ description: "US dollars of this calendar month in UTC." }),
    created_by: z.object({ type: z.string(), id: z.string() }),
    created_at: timestamp,
    expires_at: timestamp.nullable(),
    archived_at: timestamp.nullable(),
    rotation: z.object({ due_at: timestamp, expires_at: timestamp }).nullable().meta({
      description:
        "By the rotation policy of the workspace: when a new secret is due, and when the key expires without one.",
    }),
    exceeds_max_lifetime: z.boolean().meta({
      description: "It expires later than the organization's longest lifetime allows, or never.",
    }),
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
    "The answer's `key` is shown once. `permissions` holds one or more of read ⊂ write ⊂ admin; the strongest counts and is what is kept. Nobody makes a key that may do more in the workspace than its maker. With `owner_member_id` it is that person's key and stops with the person; null, it is the workspace's; omitted, it is the workspace's, or the caller's own where the caller may make no other. Without `expires_at` it lives as long as the organization allows.",
  action: "api_keys:write",
  audited: "api_key.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    workspace_id: workspaceId,
    owner_member_id: memberId.nullable().optional(),
    permissions: z.array(z.enum(keyPermissions)).min(1).max(keyPermissions.length).optional(),
    expires_at: instant.nullable().optional(),
    allowed_models: allowedModels.optional(),
    allowed_addresses: allowedAddresses.optional(),
  }),
  response: createdApiKey,
});

const MAX_QUERY_DAYS = 3650;
const expectedDays = `expected a whole number from 1 to ${MAX_QUERY_DAYS}`;
const queryDays = z.coerce
  .number({ error: expectedDays })
  .int(expectedDays)
  .min(1, expectedDays)
  .max(MAX_QUERY_DAYS, expectedDays)
  .meta({ override: { type: "integer" } });

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
    search: optionalQuery(nameText).meta({
      description:
        "Text that the name, the id, the hint, or the owner's name or address contains, whatever its case.",
    }),
    owner_type: optionalQuery(z.enum(["workspace", "member"])),
    owner_member_id: optionalQuery(memberId),
    expiring_within_days: optionalQuery(queryDays).meta({
      description: "Keys that have not expired and will within so many days.",
    }),
    unused_days: optionalQuery(queryDays).meta({
      description: "Keys that exist for so many days and have not been used in them.",
    }),
    issue: optionalQuery(keyIssue),
    exceeds_max_lifetime: queryFlag.meta({
      description:
        "Keys that expire later than the organization's longest lifetime allows, or never.",
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
  summary: "Change, disable, enable or revoke an API key",
  description:
    "`inactive` disables and `active` enables; `archived` revokes, which cannot be undone. An expired key can only be archived. What is omitted stays; null takes a restriction away.",
  action: "api_keys:write",
  audited: "api_key.updated",
  params: apiKeyParams,
  body: z.strictObject({
    name: nameText.optional(),
    status: settableStatus.optional(),
    expires_at: instant.nullable().optional(),
    allowed_models: allowedModels.optional(),
    allowed_addresses: allowedAddresses.optional(),
  }),
  response: apiKey,
});

export const rotateApiKey = route({
  operationId: "rotateApiKey",
  method: "POST",
  path: "/v1/admin/api_keys/{api_key_id}/rotate",
  summary: "Give an API key a new secret",
  description:
    "The key keeps its id, settings, limits and spend; the answer's `key` is the new secret, shown once. The old secret works until the grace period is over, then it is refused as rotated. A key has two secrets at most: in the grace period of an earlier rotation it is a 409, unless `cut_off_previous` ends the oldest at once. Omitted, `expires_at` stays as it is, or becomes the latest that the organization allows where that is earlier.",
  action: "api_keys:write",
  audited: "api_key.rotated",
  stepUp: true,
  params: apiKeyParams,
  body: z.strictObject({
    grace_period_seconds: z.int().min(0).max(MAX_GRACE_SECONDS).default(0),
    cut_off_previous: z.boolean().default(false),
    expires_at: instant.nullable().optional(),
  }),
  response: createdApiKey,
});

export const cutOffApiKey = route({
  operationId: "cutOffApiKey",
  method: "POST",
  path: "/v1/admin/api_keys/{api_key_id}/cut_off",
  summary: "End the grace period of a rotation now",
  description:
    "The secret before the current one stops. Where there is none that works, nothing changes.",
  action: "api_keys:write",
  audited: "api_key.cut_off",
  params: apiKeyParams,
  response: apiKey,
});

/**
 * Official shape, plus `workspace_id`, which clients of the previous API version read. `created_by` can name a person or
 * a service account only; a key that another key made has none there. `principal` is the person whose key it is.
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
    principal: z.object({ type: z.literal("user_actor"), user_id: memberId }).nullable(),
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
  rotateApiKey,
  cutOffApiKey,
  listOfficialApiKeys,
  getOfficialApiKey,
  updateOfficialApiKey,
] as const;
