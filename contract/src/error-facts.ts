import { z } from "zod";
import { timestamp, usdText } from "./fields.ts";
import { groupId, modelGroupId, rateLimitId, spendLimitId, workspaceId } from "./ids.ts";
import { ranks } from "./permissions.ts";
import { rateScope, wireScope } from "./scope.ts";

/** Values of `error.details.resource`: the `type` of the resource in other responses. */
export const errorResources = [
  "access_review",
  "admin_key",
  "agent_session",
  "alert",
  "alert_channel",
  "alert_delivery",
  "alert_firing",
  "alert_group",
  "api_key",
  "audit_event",
  "container",
  "contract_term",
  "device_authorization",
  "directory",
  "exceeded_bound",
  "file",
  "group",
  "scim_token",
  "group_member",
  "invite",
  "laptop",
  "mail",
  "message_batch",
  "managed_settings",
  "model",
  "member",
  "neutral_feature",
  "node",
  "passkey",
  "playground_session",
  "waiting_secret",
  "rate_limit",
  "request",
  "session",
  "skill",
  "spend_limit",
  "spend_limit_increase_request",
  "statement",
  "stored_object",
  "tag",
  "telemetry_receiver",
  "thread",
  "unresolved_spend",
  "upstream",
  "workspace",
  "workspace_member",
] as const;

export type ErrorResource = (typeof errorResources)[number];

export const fieldError = z
  .object({
    path: z.string().meta({
      description: "Name of the field, such as `scope.workspace_id`. Empty: the whole input.",
    }),
    message: z.string().meta({ description: "A sentence for people." }),
  })
  .meta({ id: "FieldError" });

/** One invalid field of a request. */
export type FieldError = z.output<typeof fieldError>;

const limitFacts = z
  .object({
    id: spendLimitId,
    scope: wireScope,
    scope_name: z.string().optional().meta({ description: "Name of a group or tag." }),
    period: z.enum(["daily", "weekly", "monthly"]),
    period_ends_at: timestamp,
    limit_usd: z.number(),
    spent_usd: usdText,
    held_usd: usdText.nullable().meta({
      description:
        "Budget that nodes hold, for running requests and in advance. Null: a soft limit, which holds none.",
    }),
    unresolved_usd: usdText.nullable().meta({
      description: "Cost of requests whose outcome is unknown. Null: a soft limit.",
    }),
    needed_usd: usdText.nullable().optional().meta({
      description:
        "Amount that the limit would have to hold for the request. Null: a soft limit, or not computed. Absent in older refusals.",
    }),
  })
  .meta({ description: "The spend limit that refuses the request, and its usage." });

const cutFacts = z
  .object({
    held_usd: usdText.meta({ description: "Budget that the limit held for the response." }),
    cost_usd: usdText.meta({
      description: "Highest cost that the response can have reached, with which it is billed.",
    }),
  })
  .meta({ description: "The stopped response." });

const queueFacts = z
  .object({
    scope: wireScope.nullable().meta({
      description: "Scope whose places are taken. Null: those of the server process.",
    }),
    waiting: z.int().meta({ description: "Number of its requests that wait." }),
  })
  .meta({ description: "The full part of the queue of requests that wait for budget." });

const awaitedNodeFacts = z
  .object({
    id: z.string(),
    until: timestamp.meta({ description: "Time at which no request waits for the node any more." }),
  })
  .meta({ description: "The node that has not reported the budget that it holds." });

const rateLimitFacts = z
  .object({
    id: rateLimitId,
    scope: rateScope,
    scope_name: z.string().optional().meta({ description: "Name of a group." }),
    model_group: modelGroupId,
    kind: z.enum(["requests", "input_tokens", "output_tokens"]),
    per_minute: z.int(),
  })
  .meta({ description: "The rate limit that refuses the request." });

const restrictionFacts = z
  .object({
    field: z.string().meta({ description: "Restricted field, such as `status`." }),
    rank: z.enum(ranks),
    set_by: z.object({ type: z.string(), id: z.string() }),
    set_at: timestamp,
  })
  .meta({ description: "The value that another rank has set." });

const setAboveFacts = z
  .object({
    rank: z.enum(ranks),
    set_by: z.object({ type: z.string(), id: z.string() }).nullable().meta({
      description: "Caller that set the value. Null: unknown.",
    }),
  })
  .meta({ description: "The value of a higher rank that keeps the limit." });

const inheritedFacts = z
  .object({ type: z.literal("group"), group_id: groupId, group_name: z.string() })
  .meta({ description: "The group whose default cap is the limit." });

const shareFacts = z
  .object({
    kind: z.enum(["running_requests", "body_bytes", "streamed_files", "key_lookups"]).meta({
      description:
        "The shared resource: running requests, bytes of request bodies in memory, streamed files, or checks of unknown keys.",
    }),
    scope: wireScope.nullable().meta({
      description:
        "Scope whose share is used up. Null: an address, or a caller without an API key.",
    }),
    used: z.int().meta({ description: "Amount that the scope uses now." }),
    most: z.int().meta({ description: "Its current share. Other requests change it." }),
  })
  .meta({ description: "The share of the server that is used up." });

/** Codes of faults in a file of tags. */
export const tagFileFaults = [
  "encoding_invalid",
  "csv_malformed",
  "rows_missing",
  "too_many_rows",
  "too_many_columns",
  "column_missing",
  "column_unknown",
  "column_duplicate",
  "tag_name_invalid",
  "cell_count_wrong",
  "kind_unknown",
  "row_duplicate",
  "tag_value_invalid",
  "resource_not_found",
  "resource_archived",
  "resource_expired",
  "permission_denied",
  "tag_set_above",
  "too_many_tags",
  "tag_names_similar",
] as const;
export type TagFileFault = (typeof tagFileFaults)[number];

const fileError = z
  .object({
    line: z.int().meta({ description: "Row of the file. The heading is row 1." }),
    column: z.string().nullable().meta({ description: "Heading of the column. Null: the row." }),
    code: z.enum(tagFileFaults),
    message: z.string().meta({ description: "A sentence for people." }),
  })
  .meta({ id: "FileError" });

/** One fault in a file. */
export type FileError = z.output<typeof fileError>;

/** Facts of refusals, by name. `errorCodes` lists the codes that have each. */
export const errorFacts = z.object({
  header: z.string().meta({ description: "Name of the header, in lower case." }),
  resource: z.enum(errorResources).meta({ description: "Kind of the resource." }),
  resource_status: z.string().meta({ description: "State that forbids the change." }),
  version: z.int().nullable().meta({
    description: "Current version of the resource. Null: it does not exist.",
  }),
  allowed_models: z.array(z.string()).meta({ description: "Models that the key can use." }),
  limit: limitFacts,
  max_cost_usd: usdText.meta({
    description: "The most that the request can cost under the limit, in US dollars.",
  }),
  cut: cutFacts,
  queue: queueFacts,
  awaited_node: awaitedNodeFacts,
  rate_limit: rateLimitFacts,
  restriction: restrictionFacts,
  set_above: setAboveFacts,
  inherited_from: inheritedFacts,
  share: shareFacts,
  file_errors: z.array(fileError).meta({ description: "The first 100 faults, by row." }),
  file_error_count: z.int().meta({ description: "Number of all faults." }),
  unknown_features: z.array(z.string()).meta({
    description: "Kinds and names of the unknown features, such as `field later`.",
  }),
  workspace_ids: z.array(workspaceId).meta({
    description: "The first 100 workspaces that use the resource, by name.",
  }),
  message_batch_count: z.int().meta({
    description: "Number of message batches at the upstream whose cost is not recorded.",
  }),
  workspace_count: z.int().meta({ description: "Number of all workspaces that use the resource." }),
  provider: z.enum(["bedrock", "vertex", "foundry"]).meta({
    description: "Cloud platform of the upstream.",
  }),
  feature: z.string().meta({ description: "Field, tool or path that the platform lacks." }),
  unsupported: z.array(z.string()).meta({
    description:
      "Request fields that this server cannot serve. Send the whole conversation without them.",
  }),
});

export type ErrorFacts = z.output<typeof errorFacts>;
