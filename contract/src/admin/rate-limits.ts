import { z } from "zod";
import { optionalQuery, queryFlag, timestamp } from "../fields.ts";
import {
  apiKeyId,
  groupId,
  memberId,
  modelGroupId,
  modelName,
  rateLimitId,
  workspaceId,
} from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { rateScope, rateScopeTypes } from "../scope.ts";
import {
  ifVersion,
  limitQuery,
  limitValueFields,
  limitVersion,
  rankToRemove,
  rankToSet,
} from "./limit-fields.ts";

const rateLimitScope = rateScope.meta({
  description:
    "Scope whose requests are limited. `member` and `group` limit personal keys. `group_member` is the default of each member of a group.",
});

const MAX_PER_MINUTE = 1_000_000_000;
const perMinuteInput = (what: string) =>
  z
    .int()
    .min(1)
    .max(MAX_PER_MINUTE)
    .nullable()
    .default(null)
    .meta({
      description: `${what} per minute. Null: not limited.`,
    });
const perMinute = z.int().nullable().meta({ description: "Null: not limited." });

const groupDescription =
  "A group of models from `/v1/admin/model_groups`. `all`: messages to all models together. `token_count`: token counting.";

const remainingAmount = (what: string) =>
  z
    .number()
    .nullable()
    .meta({ description: `${what} Null: not limited.` });

const rateLimitValue = z
  .object({
    ...limitValueFields,
    requests_per_minute: perMinute,
    input_tokens_per_minute: perMinute,
    output_tokens_per_minute: perMinute,
  })
  .meta({ id: "RateLimitValue" });

const values = z.array(rateLimitValue).meta({
  description:
    "Values by rank, highest first. The limit has the lowest number of each kind. Empty: only defaults of groups apply to the member.",
});

const inheritedRate = z
  .object({
    kind: z.enum(["requests", "input_tokens", "output_tokens"]),
    per_minute: z.int(),
    group_id: groupId,
    group_name: z.string(),
  })
  .meta({ id: "InheritedRate" });

export const rateLimit = z
  .object({
    type: z.literal("rate_limit"),
    id: rateLimitId,
    scope: rateLimitScope,
    scope_name: z.string().meta({ description: "Name of the scope. Empty: it no longer exists." }),
    model_group: modelGroupId.meta({ description: groupDescription }),
    model_group_name: z.string(),
    models: z.array(z.string()).nullable().meta({
      description: "Names of the group's models. Null: the group is not a list of models.",
    }),
    requests_per_minute: perMinute,
    input_tokens_per_minute: perMinute.meta({
      description: "Cache writes count, cache reads do not. Null: not limited.",
    }),
    output_tokens_per_minute: perMinute,
    remaining: z
      .object({
        requests: remainingAmount("Requests that can be sent now."),
        input_tokens: remainingAmount(
          "Above 0: requests are sent. Below 0: usage beyond the limit, which refills first.",
        ),
        output_tokens: remainingAmount("As for input tokens."),
      })
      .meta({ description: "Remaining amounts, from the latest reports of the nodes." }),
    blocks_now: z.boolean().meta({ description: "True: the limit refuses a request now." }),
    free_at: timestamp.nullable().meta({
      description: "When the limit accepts requests again. Null: it accepts them now.",
    }),
    values,
    inherited: z.array(inheritedRate).meta({
      description:
        "Numbers of a member's limit that come from the default rate of a group. Empty: values of the scope itself.",
    }),
    version: limitVersion,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "RateLimit" });

const rateLimitParams = z.strictObject({ rate_limit_id: rateLimitId });

export const setRateLimit = route({
  operationId: "setRateLimit",
  method: "POST",
  path: "/v1/admin/rate_limits",
  summary: "Set a rate limit",
  description:
    "Sets the value of the caller's rank, or of the lower `rank`, for this scope and group of models. A changed limit keeps its id. A higher number is accepted while another rank keeps it lower: compare the limit and its `values`. All limits that apply to a request must have room. These are the limits of its key, the key's owner, the owner's groups, its workspace and the organization, for its model's group and for all models. Takes effect on every node within a second. The organization's limits need an admin key or the role Owner or Admin.",
  action: "rate_limits:write",
  audited: "rate_limit.set",
  stepUp: "if_wider",
  body: z.strictObject({
    scope: rateLimitScope,
    model_group: modelGroupId.default("all").meta({ description: groupDescription }),
    requests_per_minute: perMinuteInput("Requests"),
    input_tokens_per_minute: perMinuteInput(
      "Input tokens (cache writes count, cache reads do not)",
    ),
    output_tokens_per_minute: perMinuteInput("Output tokens"),
    ...rankToSet,
    ...ifVersion,
  }),
  response: rateLimit,
});

export const listRateLimits = route({
  operationId: "listRateLimits",
  method: "GET",
  path: "/v1/admin/rate_limits",
  summary: "List rate limits",
  description:
    "Lists rate limits with the remaining amounts, newest first. `workspace_id` finds the limits of that workspace and of its keys. `inherited=false` omits limits of members that only default rates of groups decide. Filters combine. All callers who can see limits see those of the organization. Limits of members and groups need a right to limits of the whole organization.",
  action: "rate_limits:read",
  audited: null,
  query: z.strictObject({
    ...limitQuery,
    scope_type: optionalQuery(z.enum(rateScopeTypes)),
    member_id: optionalQuery(memberId),
    group_id: optionalQuery(groupId),
    model_group: optionalQuery(modelGroupId),
    inherited: optionalQuery(z.enum(["true", "false"])),
  }),
  response: pageCursor(rateLimit),
});

export const getRateLimit = route({
  operationId: "getRateLimit",
  method: "GET",
  path: "/v1/admin/rate_limits/{rate_limit_id}",
  summary: "Get a rate limit",
  action: "rate_limits:read",
  audited: null,
  params: rateLimitParams,
  response: rateLimit,
});

export const deleteRateLimit = route({
  operationId: "deleteRateLimit",
  method: "DELETE",
  path: "/v1/admin/rate_limits/{rate_limit_id}",
  summary: "Delete a rate limit",
  description:
    "Removes the values of the caller's rank and of lower ones. The limit stays while a higher rank has a value. Takes effect on every node within a second.",
  action: "rate_limits:write",
  audited: "rate_limit.deleted",
  stepUp: true,
  params: rateLimitParams,
  query: z.strictObject({ rank: rankToRemove }),
  response: z.object({
    id: rateLimitId,
    type: z.literal("rate_limit_deleted"),
    values: values.meta({ description: "Values that stay. Empty: the limit is deleted." }),
  }),
});

const lowestLimit = z
  .object({ rate_limit_id: rateLimitId, per_minute: z.int(), remaining: z.number() })
  .nullable()
  .meta({ description: "Null: not limited." });

export const effectiveRateLimits = z
  .object({
    type: z.literal("effective_rate_limits"),
    api_key_id: apiKeyId.nullable().meta({ description: "Null: the limits of a member." }),
    workspace_id: workspaceId.nullable().meta({ description: "Workspace of the key." }),
    member_id: memberId
      .nullable()
      .meta({ description: "The member, or the owner of the key. Null: a key without an owner." }),
    model: z.string().nullable(),
    model_group: modelGroupId.nullable().meta({ description: "Group of the model in the query." }),
    limits: z.array(rateLimit).meta({
      description:
        "Limits of the key, its owner, the owner's groups, its workspace and the organization, narrowest first. For a member: of the member, the member's keys, the groups, the workspaces of the keys and the organization. With `model`, only those that apply to its messages.",
    }),
    tightest: z
      .object({ requests: lowestLimit, input_tokens: lowestLimit, output_tokens: lowestLimit })
      .meta({
        description:
          "The lowest limit of each kind. For a member: of the limits of every request, which are those of the member, the groups and the organization.",
      }),
    is_blocked: z.boolean().meta({ description: "True: one of the limits refuses a request now." }),
    free_at: timestamp.nullable(),
  })
  .meta({ id: "EffectiveRateLimits" });

export const getEffectiveRateLimits = route({
  operationId: "getEffectiveRateLimits",
  method: "GET",
  path: "/v1/admin/rate_limits/effective",
  summary: "Get the effective rate limits of a key or a member",
  description:
    "Returns all limits that apply to requests of the key or the member, the lowest of each kind, and whether one refuses now. Send one of `api_key_id` and `member_id`. A member's limits need an admin key or a role that sees all limits.",
  action: "rate_limits:read",
  audited: null,
  query: z.strictObject({
    api_key_id: optionalQuery(apiKeyId),
    member_id: optionalQuery(memberId),
    model: optionalQuery(modelName),
  }),
  response: effectiveRateLimits,
});

export const modelGroup = z
  .object({
    type: z.literal("model_group"),
    id: modelGroupId,
    display_name: z.string(),
    models: z.array(z.string()).nullable().meta({
      description: "Names and aliases. Null: the group is not a list of models.",
    }),
    counts_tokens: z.boolean().meta({
      description: "False: only requests can be limited, as for `token_count`.",
    }),
  })
  .meta({ id: "ModelGroup" });

export const listModelGroups = route({
  operationId: "listModelGroups",
  method: "GET",
  path: "/v1/admin/model_groups",
  summary: "List model groups of rate limits",
  description:
    "Lists the groups of models that share a limit, then `other` (models without a group), `all` and `token_count`, on one page.",
  action: "rate_limits:read",
  audited: null,
  query: z.strictObject({ model: optionalQuery(modelName) }),
  response: z.object({ data: z.array(modelGroup) }),
});

// The official shape has the organization's limits by group, and the limits of a workspace. Limits of keys, people and all
// models together have no official form.

const officialGroupTypes = [
  "model_group",
  "batch",
  "token_count",
  "files",
  "skills",
  "web_search",
] as const;

const officialGroup = z.discriminatedUnion("type", [
  z.object({ type: z.literal("model_group"), id: z.string(), display_name: z.string() }),
  z.object({ type: z.literal("token_count"), id: z.string() }),
]);
const officialModels = z.array(z.string()).nullable();

export const officialRateLimit = z
  .object({
    id: rateLimitId,
    type: z.literal("rate_limit"),
    group: officialGroup,
    models: officialModels,
    limits: z.array(z.object({ type: z.string(), value: z.int() })),
  })
  .meta({ id: "OfficialRateLimit" });

export const officialWorkspaceRateLimit = z
  .object({
    type: z.literal("workspace_rate_limit"),
    rate_limit_id: rateLimitId,
    workspace_id: workspaceId,
    group: officialGroup,
    models: officialModels,
    limits: z.array(
      z.object({
        type: z.string(),
        value: z.int(),
        org_limit: z.int().nullable(),
        source: z.object({ type: z.enum(["workspace", "organization"]) }),
      }),
    ),
  })
  .meta({ id: "OfficialWorkspaceRateLimit" });

const expectedSize = "expected a whole number from 1 to 1000";
const officialPage = {
  limit: optionalQuery(
    z.coerce
      .number({ error: expectedSize })
      .int(expectedSize)
      .min(1, expectedSize)
      .max(1000, expectedSize)
      .meta({ override: { type: "integer" } }),
  ).meta({ description: "Maximum number of entries. Default: all." }),
  page: pageCursorQuery.page,
  group_type: optionalQuery(z.enum(officialGroupTypes)),
};

export const listOfficialRateLimits = route({
  operationId: "listOfficialRateLimits",
  method: "GET",
  path: "/v1/organizations/rate_limits",
  summary: "List the organization's rate limits (official shape)",
  description:
    "Lists one entry for each group of models and one for token counting. `limits` is empty if none is set. `model` finds the entry of a model by name or alias.",
  action: "rate_limits:read",
  audited: null,
  query: z.strictObject({ ...officialPage, model: optionalQuery(modelName) }),
  response: pageCursor(officialRateLimit),
});

export const listOfficialWorkspaceRateLimits = route({
  operationId: "listOfficialWorkspaceRateLimits",
  method: "GET",
  path: "/v1/organizations/workspaces/{workspace_id}/rate_limits",
  summary: "List a workspace's rate limits (official shape)",
  description:
    "Lists the limits of the workspace, with `include_inherited` also those of the organization.",
  action: "rate_limits:read",
  audited: null,
  params: z.strictObject({ workspace_id: workspaceId }),
  query: z.strictObject({
    ...officialPage,
    include_inherited: queryFlag.meta({
      description: "Include limits of the organization.",
    }),
  }),
  response: pageCursor(officialWorkspaceRateLimit),
});

/** All types of the official client. Types that this server does not support can only be cleared. */
const officialLimiterTypes = [
  "fast_itpmca",
  "fast_otpm",
  "input_tokens_per_minute",
  "input_tokens_per_minute_cache_aware",
  "output_tokens_per_minute",
  "requests_per_minute",
  "tokens_per_day",
  "tokens_per_minute",
  "tool_uses_per_second",
] as const;

export const updateOfficialWorkspaceRateLimit = route({
  operationId: "updateOfficialWorkspaceRateLimit",
  method: "POST",
  path: "/v1/organizations/workspaces/{workspace_id}/rate_limits/{rate_limit_id}",
  summary: "Set or clear a workspace's rate limits (official shape)",
  description:
    "Changes the limits of the group whose entry in the organization's list has this id. Omitted types stay the same. Null clears a type. A value above the organization's is stored, and the organization's limit still applies. Supported types are `requests_per_minute`, `input_tokens_per_minute_cache_aware` and `output_tokens_per_minute`.",
  action: "rate_limits:write",
  audited: "rate_limit.set",
  stepUp: true,
  params: z.strictObject({ workspace_id: workspaceId, rate_limit_id: rateLimitId }),
  body: z.strictObject({
    limits: z
      .array(
        z.strictObject({
          type: z.enum(officialLimiterTypes),
          value: z.int().min(1).max(MAX_PER_MINUTE).nullable(),
        }),
      )
      .min(1)
      .max(officialLimiterTypes.length),
  }),
  response: officialWorkspaceRateLimit,
});

export const rateLimitRoutes = [
  setRateLimit,
  listRateLimits,
  getRateLimit,
  deleteRateLimit,
  getEffectiveRateLimits,
  listModelGroups,
  listOfficialRateLimits,
  listOfficialWorkspaceRateLimits,
  updateOfficialWorkspaceRateLimit,
] as const;
