import { z } from "zod";
import {
  instant,
  keyTagChanges,
  keyTags,
  nameText,
  optionalQuery,
  queryFlag,
  shownOnce,
  timestamp,
  usdText,
} from "../fields.ts";
import {
  apiKeyId,
  directoryId,
  memberId,
  modelName,
  waitingSecretId,
  workspaceId,
} from "../ids.ts";
import { attentionIssues } from "../key-issues.ts";
import { page, pageCursor, pageCursorQuery, pageQuery } from "../paging.ts";
import { keyPermissions, ranks } from "../permissions.ts";
import { route } from "../route.ts";
import { isOrigin } from "../web-origin.ts";
import { keyIssue } from "./key-hygiene.ts";

export const apiKeyStatus = z.enum(["active", "inactive", "archived", "expired"]);
/** `expired` follows from the clock and cannot be set. */
export const settableStatus = z.enum(["active", "inactive", "archived"]);
const apiKeyParams = z.strictObject({ api_key_id: apiKeyId });

const MAX_ALLOWED = 100;
/** Names of models and prefixes. Null: all models. */
export const modelPatterns = z
  .array(
    modelName.regex(
      /^[^*]+\*?$/,
      "expected a model name, or a prefix of names with a * at its end",
    ),
  )
  .min(1)
  .max(MAX_ALLOWED)
  .nullable();
export const allowedModels = modelPatterns.meta({
  description:
    "Models that the key can use: names, or prefixes such as `claude-haiku-*`. A name includes the aliases of its model. Null: all models.",
});
const MAX_RANGE_LENGTH = 60;
export const allowedAddresses = z
  .array(z.string().max(MAX_RANGE_LENGTH))
  .min(1)
  .max(MAX_ALLOWED)
  .nullable()
  .meta({
    description:
      "IPv4 and IPv6 addresses and CIDR ranges from which the key works. Null: all addresses.",
  });
const MAX_ORIGINS = 20;
const MAX_ORIGIN_LENGTH = 200;
export const allowedOrigins = z
  .array(
    z
      .string()
      .max(MAX_ORIGIN_LENGTH)
      .refine(isOrigin, "expected an origin such as https://app.example.com, or *"),
  )
  .min(1)
  .max(MAX_ORIGINS)
  .nullable()
  .meta({
    description:
      "Origins whose pages in browsers can use the key, such as `https://app.example.com`. `*`: all. Null: none.",
  });
const MAX_GRACE_SECONDS = 30 * 86_400;
export const gracePeriodSeconds = z.int().min(0).max(MAX_GRACE_SECONDS);

/** At most a minute late, since nodes write uses in batches. */
const lastUsed = z
  .object({ at: timestamp, address: z.string().nullable(), model: z.string().nullable() })
  .nullable()
  .meta({
    description:
      "Last use, at most a minute late. `model` is null for calls without a model. Null: never used.",
  });

/** Valid secret of a key: the current one, or the previous one in the grace period of a rotation. */
const apiKeySecret = z.object({
  partial_key_hint: z.string(),
  created_at: timestamp,
  valid_until: timestamp.nullable().meta({
    description: "End of the rotated secret's grace period. Null: the current secret.",
  }),
  last_used: lastUsed,
});

/** A key stops with its owner, or a rank has disabled it. */
const stopReasons = [
  "owner_deactivated",
  "owner_removed",
  "owner_outside_workspace",
  "disabled_by_machine",
  "disabled_by_owner",
  "disabled_by_admin",
  "disabled_by_workspace",
  "disabled_by_holder",
] as const;

/** Restrictions that callers of one rank have set. */
const keyRestrictions = z
  .object({
    rank: z.enum(ranks),
    is_disabled: z.boolean(),
    allowed_models: z.array(z.string()).nullable(),
    allowed_addresses: z.array(z.string()).nullable(),
    expires_at: timestamp.nullable(),
    set_by: z.object({ type: z.string(), id: z.string() }),
    set_at: timestamp,
  })
  .meta({ id: "ApiKeyRestrictions" });

const userDirectory =
  "Directory of the users whom a gateway names with this key, in the header `x-claude-gateway-user-id`. Their requests count as those of the members. Null: the header is ignored.";
const requiredUser = "True: a request without a known user of the directory is refused.";
/** Fields that admins of the organization can set. */
const keyUsers = {
  user_directory_id: directoryId.nullable().optional().meta({ description: userDirectory }),
  requires_user: z
    .boolean()
    .optional()
    .meta({
      description: `${requiredUser} Omitted: true for a new directory.`,
    }),
};

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
    purpose: z.enum(["calls", "claude_code"]).meta({
      description:
        "`claude_code`: carries the requests of a member's laptops. No caller has its secret, so it cannot be rotated.",
    }),
    status: apiKeyStatus,
    stopped_because: z.enum(stopReasons).nullable().meta({
      description:
        "Why the key does not work, besides its status: the state of its owner, or the highest rank that disabled it.",
    }),
    allowed_models: z.array(z.string()).nullable().meta({
      description: "Models in force, which all ranks allow. Null: all models. Empty: none.",
    }),
    allowed_addresses: z.array(z.string()).nullable().meta({
      description: "Addresses in force, which all ranks allow. Null: all addresses. Empty: none.",
    }),
    allowed_origins: z.array(z.string()).nullable().meta({
      description: "Origins whose pages in browsers can use the key. Null: none.",
    }),
    restrictions: z.array(keyRestrictions).meta({
      description: "Restrictions of each rank, highest first. The strictest of them are in force.",
    }),
    partial_key_hint: z.string(),
    secrets: z.array(apiKeySecret).meta({
      description:
        "Valid secrets, newest first: one, or two in the grace period of a rotation. Empty for a Claude Code key.",
    }),
    last_used: lastUsed,
    spent_month_usd: usdText.meta({
      description: "Spend in the current calendar month in UTC, US dollars.",
    }),
    tags: z.record(z.string(), z.string()).meta({
      description:
        "Tags of the key. A request has them and those of the workspace. The key's value of a name replaces the workspace's.",
    }),
    user_directory_id: directoryId.nullable().meta({ description: userDirectory }),
    requires_user: z.boolean().meta({ description: requiredUser }),
    created_by: z.object({ type: z.string(), id: z.string() }),
    contact_member_id: memberId.nullable().meta({
      description:
        "Member who answers for a key without an owner: its creator, or the member who took it over. Null: the key has an owner, or no member created it.",
    }),
    created_at: timestamp,
    expires_at: timestamp.nullable(),
    archived_at: timestamp.nullable(),
    rotation: z.object({ due_at: timestamp, expires_at: timestamp }).nullable().meta({
      description:
        "Dates by the workspace's rotation policy: when a new secret is due, and when the key expires without one.",
    }),
    attention: z.array(z.enum(attentionIssues)).meta({
      description: "Issues that someone should resolve. Empty: the key needs no attention.",
    }),
    monthly_limit_usd: z.number().nullable().meta({
      description:
        "Spend limit of the key itself in a calendar month, US dollars. Null: none. Limits of its owner, groups, workspace and organization also apply.",
    }),
    exceeds_max_lifetime: z.boolean().meta({
      description:
        "True: it expires later than the organization's maximum lifetime allows, or never.",
    }),
  })
  .meta({ id: "ApiKey" });

/** Secret that a call has created, for the caller or for the owner of the key. */
export const newSecret = {
  key: z
    .string()
    .nullable()
    .meta({
      description:
        "The secret, `sk-ant-api03-…`. Shown once. Only its hash is stored. Null: the key belongs to another member, who alone gets the secret.",
      ...shownOnce,
    }),
  waiting_secret: z
    .object({
      id: waitingSecretId,
      url: z.string().meta({
        description:
          "Link that shows the secret once, after the sign-in of the owner. Others see nothing. The owner also gets the link by e-mail.",
      }),
      expires_at: timestamp,
    })
    .nullable()
    .meta({
      description:
        "The secret waits for the owner of the key, who can show it once until `expires_at`. A new secret and the end of the key end it earlier. Null: `key` has it.",
    }),
};

/** Response to the caller that created a secret. */
export const createdApiKey = z
  .object({ ...apiKey.shape, ...newSecret })
  .meta({ id: "CreatedApiKey" });

/** Settings of new keys: of one, or of many at once. */
export const newKeySettings = {
  workspace_id: workspaceId,
  owner_member_id: memberId.nullable().optional(),
  permissions: z.array(z.enum(keyPermissions)).min(1).max(keyPermissions.length).optional(),
  expires_at: instant.nullable().optional(),
  allowed_models: allowedModels.optional(),
  allowed_addresses: allowedAddresses.optional(),
  allowed_origins: allowedOrigins.optional(),
  tags: keyTags.optional(),
  ...keyUsers,
};

export const createApiKey = route({
  operationId: "createApiKey",
  method: "POST",
  path: "/v1/admin/api_keys",
  summary: "Create an API key",
  description:
    "The response shows `key` once. `permissions` has one or more of read ⊂ write ⊂ admin, and the highest one is stored. Callers cannot create a key with more rights in the workspace than their own. With `owner_member_id` the key belongs to that member and stops with the member. If the caller is someone else, `key` is null and the member gets the secret by `POST /v1/admin/waiting_secrets/{waiting_secret_id}/reveal`. Null: the key belongs to the workspace. Omitted: the workspace, or the caller if the caller can create no other keys. Without `expires_at` the key has the maximum lifetime of the organization. A key inherits the restrictions of the calling key, and those that higher ranks have set on other keys of its owner in the workspace.",
  action: "api_keys:write",
  audited: "api_key.created",
  stepUp: true,
  body: z.strictObject({ name: nameText, ...newKeySettings }),
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
    status: optionalQuery(apiKeyStatus),
    name: optionalQuery(nameText).meta({
      description: "Part of the name. Case-insensitive.",
    }),
    search: optionalQuery(nameText).meta({
      description:
        "Part of the name, the id, the hint, or the owner's name or address. Case-insensitive.",
    }),
    owner_type: optionalQuery(z.enum(["workspace", "member"])),
    owner_member_id: optionalQuery(memberId),
    expiring_within_days: optionalQuery(queryDays).meta({
      description: "Unexpired keys that expire within this many days.",
    }),
    unused_days: optionalQuery(queryDays).meta({
      description: "Keys that are at least this many days old and were not used in that time.",
    }),
    issue: optionalQuery(keyIssue),
    needs_attention: queryFlag.meta({
      description: "Keys with an issue that someone should resolve, or only the others.",
    }),
    exceeds_max_lifetime: queryFlag.meta({
      description:
        "Keys that expire later than the organization's maximum lifetime allows, or never.",
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
    "`inactive` disables and `active` enables the key. `archived` revokes it, which cannot be undone. An expired key can only be archived. Omitted fields stay the same. Null removes a restriction. Callers change values of their own rank, of the rank `holder` on their own keys, or of the rank in `rank`. The strictest value of all ranks is in force.",
  action: "api_keys:write",
  audited: "api_key.updated",
  stepUp: "if_wider",
  params: apiKeyParams,
  body: z.strictObject({
    name: nameText.optional(),
    status: settableStatus.optional(),
    expires_at: instant.nullable().optional(),
    allowed_models: allowedModels.optional(),
    allowed_addresses: allowedAddresses.optional(),
    allowed_origins: allowedOrigins.optional(),
    tags: keyTagChanges.nullable().optional().meta({
      description:
        "A tag set to null is deleted. Null deletes all. A caller cannot change a tag that a higher rank set or limits.",
    }),
    ...keyUsers,
    rank: z.enum(ranks).optional().meta({
      description:
        "Rank whose restrictions change, at most the caller's. Omitted: the caller's, and `holder` for the caller's own key.",
    }),
  }),
  response: apiKey,
});

export const rotateApiKey = route({
  operationId: "rotateApiKey",
  method: "POST",
  path: "/v1/admin/api_keys/{api_key_id}/rotate",
  summary: "Rotate an API key",
  description:
    "Creates a new secret, which the response shows once as `key`. If the key belongs to another member, `key` is null and the secret waits for that member. The key keeps its id, settings, limits and spend. The old secret works until the grace period ends. Afterwards it is refused as rotated. A key has at most two secrets, so another rotation in the grace period is a 409, unless `cut_off_previous` ends the oldest secret at once. Without `expires_at` the expiry stays the same, or is the latest that the organization allows, if that is earlier.",
  action: "api_keys:write",
  audited: "api_key.rotated",
  stepUp: true,
  params: apiKeyParams,
  body: z.strictObject({
    grace_period_seconds: gracePeriodSeconds.default(0),
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
  description: "Ends the previous secret. Without a previous secret, nothing changes.",
  action: "api_keys:write",
  audited: "api_key.cut_off",
  params: apiKeyParams,
  response: apiKey,
});

/**
 * Official shape, plus `workspace_id`, which clients of the previous API version read. `created_by` can name only a member
 * or a service account, so it is null for a key that another key created. `principal` is the member who owns the key.
 */
export const officialApiKey = z
  .object({
    id: apiKeyId,
    type: z.literal("api_key"),
    name: z.string(),
    status: apiKeyStatus,
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
      description: "Keys that this member created.",
    }),
    status: optionalQuery(apiKeyStatus),
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
