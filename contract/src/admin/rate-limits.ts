import { z } from "zod";
import { optionalQuery, queryFlag, timestamp } from "../fields.ts";
import { apiKeyId, modelGroupId, modelName, rateLimitId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { wireScope } from "../scope.ts";
import { ifVersion, limitQuery, limitVersion } from "./limit-fields.ts";

const rateLimitScope = wireScope.meta({ description: "Whose requests are limited." });

const MAX_PER_MINUTE = 1_000_000_000;
const setPerMinute = (what: string) =>
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

const groupMeaning =
  "A group of models from `/v1/admin/model_groups`; `all`: the messages of all models together; `token_count`: the counting of tokens.";

const left = (what: string) =>
  z
    .number()
    .nullable()
    .meta({ description: `${what} Null where that is not limited.` });

export const rateLimit = z
  .object({
    type: z.literal("rate_limit"),
    id: rateLimitId,
    scope: rateLimitScope,
    model_group: modelGroupId.meta({ description: groupMeaning }),
    model_group_name: z.string(),
    models: z
      .array(z.string())
      .nullable()
      .meta({ description: "Names of the group's models; null where it is no list of models." }),
    requests_per_minute: perMinute,
    input_tokens_per_minute: perMinute.meta({
      description: "Cache writes count, cache reads do not. Null: not limited.",
    }),
    output_tokens_per_minute: perMinute,
    remaining: z
      .object({
        requests: left("Requests that may be sent at this moment."),
        input_tokens: left(
          "While it is above 0 requests are sent. Below 0: used beyond the limit, and waited for.",
        ),
        output_tokens: left("As for input tokens."),
      })
      .meta({ description: "As the nodes have told up to a moment ago." }),
    blocks_now: z.boolean().meta({ description: "A request of this moment is refused." }),
    free_at: timestamp.nullable().meta({
      description: "When requests are taken again. Null where they are.",
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
    "Creates the limit of this scope and group of models, or replaces all of it; it keeps its id. Every limit that applies to a request must have room for it: those of its key, its workspace and the organization, for its model's group and for all models. In force on every node within a second. The organization's limits need an admin key or the role Owner or Admin.",
  action: "rate_limits:write",
  audited: "rate_limit.set",
  stepUp: true,
  body: z.strictObject({
    scope: rateLimitScope,
    model_group: modelGroupId.default("all").meta({ description: groupMeaning }),
    requests_per_minute: setPerMinute("Requests"),
    input_tokens_per_minute: setPerMinute("Input tokens (cache writes count, cache reads do not)"),
    output_tokens_per_minute: setPerMinute("Output tokens"),
    ...ifVersion,
  }),
  response: rateLimit,
});

export const listRateLimits = route({
  operationId: "listRateLimits",
  method: "GET",
  path: "/v1/admin/rate_limits",
  summary: "List rate limits and what is left of them",
  description:
    "Newest first. `workspace_id` finds the limits of that workspace and of its keys; the filters narrow one another. The organization's limits are listed for everybody who may see limits.",
  action: "rate_limits:read",
  audited: null,
  query: z.strictObject({
    ...limitQuery,
    model_group: optionalQuery(modelGroupId),
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
  description: "In force on every node within a second.",
  action: "rate_limits:write",
  audited: "rate_limit.deleted",
  stepUp: true,
  params: rateLimitParams,
  response: z.object({ id: rateLimitId, type: z.literal("rate_limit_deleted") }),
});

const tightest = z
  .object({ rate_limit_id: rateLimitId, per_minute: z.int(), remaining: z.number() })
  .nullable()
  .meta({ description: "Null: not limited." });

export const effectiveRateLimits = z
  .object({
    type: z.literal("effective_rate_limits"),
    api_key_id: apiKeyId,
    workspace_id: workspaceId,
    model: z.string().nullable(),
    model_group: modelGroupId
      .nullable()
      .meta({ description: "Of the model that was asked about." }),
    limits: z.array(rateLimit).meta({
      description:
        "Of the key, its workspace and the organization, narrowest first. With `model`, only those that its messages count against.",
    }),
    tightest: z
      .object({ requests: tightest, input_tokens: tightest, output_tokens: tightest })
      .meta({ description: "Of those limits, the lowest of each kind." }),
    is_blocked: z.boolean().meta({ description: "One of them refuses a request of this moment." }),
    free_at: timestamp.nullable(),
  })
  .meta({ id: "EffectiveRateLimits" });

export const getEffectiveRateLimits = route({
  operationId: "getEffectiveRateLimits",
  method: "GET",
  path: "/v1/admin/rate_limits/effective",
  summary: "Explain what rate limits a key has",
  description:
    "All limits that a request of the key must find room in, the lowest of each kind, and whether one refuses now.",
  action: "rate_limits:read",
  audited: null,
  query: z.strictObject({ api_key_id: apiKeyId, model: optionalQuery(modelName) }),
  response: effectiveRateLimits,
});

export const modelGroup = z
  .object({
    type: z.literal("model_group"),
    id: modelGroupId,
    display_name: z.string(),
    models: z.array(z.string()).nullable().meta({
      description: "Names and aliases. Null where it is no list of models.",
    }),
    counts_tokens: z.boolean().meta({
      description: "False: requests alone can be limited, as of `token_count`.",
    }),
  })
  .meta({ id: "ModelGroup" });

export const listModelGroups = route({
  operationId: "listModelGroups",
  method: "GET",
  path: "/v1/admin/model_groups",
  summary: "List what a rate limit can be for",
  description:
    "Groups of models that share a limit, then `other` (every model that no group names), `all` and `token_count`. All of them on one page.",
  action: "rate_limits:read",
  audited: null,
  query: z.strictObject({ model: optionalQuery(modelName) }),
  response: z.object({ data: z.array(modelGroup) }),
});

// The official shape knows the organization's limits by group, and what a workspace has instead of them. Limits of keys and
// of all models together have no words there.

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
  ).meta({ description: "How many entries at most; all of them where it is omitted." }),
  page: pageCursorQuery.page,
  group_type: optionalQuery(z.enum(officialGroupTypes)),
};

export const listOfficialRateLimits = route({
  operationId: "listOfficialRateLimits",
  method: "GET",
  path: "/v1/organizations/rate_limits",
  summary: "List the organization's rate limits (official shape)",
  description:
    "One entry for each group of models and one for the counting of tokens; `limits` is empty where none is set. `model` finds the one entry with that model, by a name or an alias.",
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
    "What is set for the workspace; with `include_inherited` also what it has from the organization.",
  action: "rate_limits:read",
  audited: null,
  params: z.strictObject({ workspace_id: workspaceId }),
  query: z.strictObject({
    ...officialPage,
    include_inherited: queryFlag.meta({
      description: "Also what the workspace has from the organization.",
    }),
  }),
  response: pageCursor(officialWorkspaceRateLimit),
});

/** All that the official client may name; those that this server does not keep can only be cleared. */
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
    "Of the group whose entry in the organization's list has this id. Types that are not named stay as they are; null clears one. A value above the organization's is kept, and the organization's still applies. This server keeps `requests_per_minute`, `input_tokens_per_minute_cache_aware` and `output_tokens_per_minute`.",
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
