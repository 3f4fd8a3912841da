import { z } from "zod";
import {
  count,
  instant,
  optionalQuery,
  queryFlag,
  queryList,
  timestamp,
  usdAmount,
  usdText,
} from "../fields.ts";
import {
  apiKeyId,
  groupId,
  memberId,
  requestId,
  spendLimitId,
  upstreamId,
  workspaceId,
} from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { wireScope } from "../scope.ts";
import { cutReasons, failoverReasons, requestClasses, requestDoubts } from "../usage-shape.ts";
import {
  attributionFilters,
  costBreakdown,
  exportFormat,
  measuredFields,
  reportFilters,
  requestStatuses,
} from "./report-fields.ts";
import { periods } from "./spend-limits.ts";

const outcomes = ["answered", "refused", "unreached", "aborted", "interrupted"] as const;

const doubtDescription =
  "Reason why the cost is doubtful. `impossible_usage`: the reported usage cannot be true. The request costs its hold, or the " +
  "bound of one call without a strict limit. `missing_usage`: a 200 without usage costs its input, and the rest of its hold " +
  "is unresolved. `incomplete_usage`: the response broke off, and the cost is an estimate of the received part.";

export const claimedLabels = z
  .object({
    agent_session_id: z.string().meta({ description: "Session of Claude Code." }),
    prompt_id: z.string().nullable().meta({
      description: "Prompt of the person. Requests of its subagents have the same one.",
    }),
    agent_id: z.string().nullable().meta({ description: "Null: the main agent." }),
    parent_agent_id: z.string().nullable(),
    request_class: z.enum(requestClasses).nullable().meta({
      description: "`other`: a class that this release does not know.",
    }),
  })
  .meta({
    id: "ClaimedLabels",
    description:
      "Labels that the client claims. Anyone with the credential can send any value, so no limit and no attribution uses them.",
  });

const cutFacts = z
  .object({
    reason: z.enum(cutReasons).meta({
      description:
        "`limit_spent`: the limit has nothing left until its period ends. `limit_held`: other requests hold what is left. " +
        "`database_unavailable`: the node could not ask for budget.",
    }),
    scope: wireScope,
    scope_name: z.string().nullable().meta({
      description: "Name of the scope. Null for the organization, and for a deleted scope.",
    }),
    period: z.enum(periods),
    spend_limit_id: spendLimitId.nullable().meta({
      description: "The limit of this scope and period now. Null: removed since.",
    }),
    held_usd: usdText.meta({
      description: "Amount that the limit held for the stream at its end.",
    }),
    seen_output_tokens: count.meta({ description: "Output that the upstream had sent." }),
    bound_output_tokens: count.meta({
      description: "Output that the upstream can have billed by then. The cost includes it.",
    }),
    paused_ms: count.nullable().meta({
      description: "Time before the cut in which the node did not run. Null: it ran.",
    }),
    balance: z
      .object({
        limit_usd: usdText,
        spent_usd: usdText,
        held_usd: usdText.meta({
          description: "Budget that nodes held, for running requests and in advance.",
        }),
        unresolved_usd: usdText,
      })
      .nullable()
      .meta({ description: "Amounts of the limit at that time. Null: unknown." }),
  })
  .meta({
    id: "RequestCut",
    description:
      "Facts of a stream that a spend limit ended. The stream costs its highest possible cost at that time, as an estimate.",
  });

const requestFields = {
  id: requestId,
  type: z.literal("request"),
  started_at: timestamp.meta({
    description:
      "Time of admission: the body has arrived, and limits have accepted it. All durations start here.",
  }),
  ended_at: timestamp,
  workspace_id: workspaceId,
  workspace_name: z.string().nullable(),
  api_key_id: apiKeyId,
  api_key_name: z.string().nullable(),
  is_playground: z.boolean().meta({
    description:
      "True: the member sent it in the playground of the console. Its key is in no list of keys and has no page.",
  }),
  member_id: memberId.nullable(),
  member_name: z.string().nullable(),
  member_email: z.string().nullable(),
  requested_model: z.string(),
  model: z.string().meta({ description: "Model that responded, under its name in reports." }),
  status: z.enum(requestStatuses),
  outcome: z.enum(outcomes),
  http_status: z
    .int()
    .nullable()
    .meta({ description: "Status that the client received. Null: none." }),
  is_stream: z.boolean(),
  is_estimated: z.boolean(),
  is_unpriced: z.boolean(),
  service_tier: z.string(),
  context_window: z.string(),
  inference_geo: z.string(),
  speed: z.string(),
  client: z.string(),
  ...measuredFields,
  cost_usd: usdText,
  latency_ms: count.meta({ description: "From `started_at` to `ended_at`." }),
  first_byte_ms: count.nullable().meta({
    description:
      "From `started_at` to the upstream's first byte, at most `latency_ms`. Null: no byte.",
  }),
  upstream_request_id: z.string().nullable(),
  doubt: z
    .enum(requestDoubts)
    .nullable()
    .meta({ description: `${doubtDescription} Null: none.` }),
  has_unbilled_parts: z.boolean().meta({
    description:
      "Features that may be billed by time could run, such as code execution. No cost of this server includes them. True for unknown features too.",
  }),
  adjustment_usd: usdText.nullable().meta({
    description:
      "Sum of the decisions about the cost, in addition to `cost_usd`. Negative: the request cost less. Null: no decision.",
  }),
  groups: z.array(z.object({ id: groupId, name: z.string().nullable() })).meta({
    description:
      "Groups of the key's owner at the start of the request. A name is null if the group was deleted.",
  }),
  tags: z.record(z.string(), z.string()).meta({
    description:
      "Tags at the start of the request: those of the workspace, replaced by name by those of the key.",
  }),
  claimed: claimedLabels.nullable().meta({
    description: "Labels that the client claims. Null: no agent session was sent.",
  }),
  upstream_id: upstreamId.nullable().meta({
    description:
      "Upstream that the request was sent to. Null: the upstream of the server's environment, or the simulator.",
  }),
  failover: z.enum(failoverReasons).nullable().meta({
    description:
      "Why the first upstream of the order did not answer. `unreached`: nothing was sent to it. `rate_limited`, `overloaded`: it answered 429 or 529. `circuit_open`: it was left out after failures. `unsupported`: its provider lacks a part of the request. Null: it answered.",
  }),
  cut: cutFacts.nullable().meta({ description: "Null: no spend limit ended the request." }),
};

export const loggedRequest = z.object(requestFields).meta({ id: "LoggedRequest" });

export const loggedRequestDetail = z
  .object({
    ...requestFields,
    cost_breakdown_usd: costBreakdown,
    prices: z.json().meta({ description: "Prices of the request." }),
    node_id: z.string(),
  })
  .meta({ id: "LoggedRequestDetail" });

const MAX_ID_LENGTH = 100;
const idText = (description: string) =>
  optionalQuery(
    z
      .string()
      .max(MAX_ID_LENGTH)
      .regex(/^[!-~]+$/, "expected an id"),
  ).meta({ description });

const MAX_CLAIMED_LENGTH = 64;
export const claimedText = z
  .string()
  .max(MAX_CLAIMED_LENGTH)
  .regex(/^[!-~]+$/, "expected an id");

const requestFilters = {
  starting_at: optionalQuery(instant).meta({ description: "At this time or later." }),
  ending_at: optionalQuery(instant).meta({ description: "Before this time." }),
  ...reportFilters,
  ...attributionFilters,
  min_cost_usd: optionalQuery(usdAmount).meta({ description: "Lowest cost of a request." }),
  doubt: queryList(z.enum(requestDoubts)).meta({ description: doubtDescription }),
  is_resolved: queryFlag.meta({
    description:
      "`true`: requests with a decision about their cost. `false`: requests without one.",
  }),
  has_unbilled_parts: queryFlag.meta({
    description: "`true`: requests with `has_unbilled_parts`. `false`: the others.",
  }),
  is_cut: queryFlag.meta({
    description: "`true`: streams that a spend limit ended. `false`: the others.",
  }),
  upstream_id: queryList(upstreamId).meta({
    description:
      "Upstreams that requests were sent to. Requests through the upstream of the server's environment or the simulator have none.",
  }),
  request_id: idText("Id of a request, or a prefix that begins with `req_`."),
  upstream_request_id: idText("The upstream's id of the request. Exact match."),
  agent_session_id: optionalQuery(claimedText).meta({
    description: "Agent session that the client claims. Exact match.",
  }),
  prompt_id: optionalQuery(claimedText).meta({
    description: "Prompt that the client claims. Exact match.",
  }),
};

export const listRequests = route({
  operationId: "listRequests",
  method: "GET",
  path: "/v1/admin/requests",
  summary: "List requests",
  description:
    "Returns the request log, newest first. Every request that was sent upstream has one entry, within two seconds of its " +
    "end. Prompts and responses are never in it. With rare filters a page can be short or empty, but `next_page` is set. " +
    "The page has then searched a part of the log, and the next page continues there.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({ ...pageCursorQuery, ...requestFilters }),
  response: pageCursor(loggedRequest),
});

export const getRequest = route({
  operationId: "getRequest",
  method: "GET",
  path: "/v1/admin/requests/{request_id}",
  summary: "Get a request",
  action: "usage:read",
  audited: null,
  params: z.strictObject({ request_id: requestId }),
  response: loggedRequestDetail,
});

export const exportRequests = route({
  operationId: "exportRequests",
  method: "GET",
  path: "/v1/admin/requests/export",
  summary: "Export requests",
  description:
    "Exports all filtered requests as a file, newest first, up to the start of the export.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({ format: exportFormat, ...requestFilters }),
  response: loggedRequest,
  streams: ["text/csv", "application/x-ndjson"],
});

const MIN_RETENTION_DAYS = 7;
const MAX_RETENTION_DAYS = 36_500;

export const requestLogSettings = z
  .object({
    type: z.literal("request_log_settings"),
    retention_days: z.int().nullable().meta({
      description: "Whole days that single requests are stored. Null: forever.",
    }),
    pruned_before: timestamp.nullable().meta({
      description: "Requests before this time are deleted. Usage and cost still include them.",
    }),
  })
  .meta({ id: "RequestLogSettings" });

export const getRequestLogSettings = route({
  operationId: "getRequestLogSettings",
  method: "GET",
  path: "/v1/admin/request_log/settings",
  summary: "Get the retention of requests",
  action: "organization:read",
  audited: null,
  response: requestLogSettings,
});

export const updateRequestLogSettings = route({
  operationId: "updateRequestLogSettings",
  method: "POST",
  path: "/v1/admin/request_log/settings",
  summary: "Set the retention of requests",
  description:
    "In days, at least 7. Null, the default, stores them forever. Older requests are deleted within a day. Usage, cost and " +
    "spend stay the same, but reports by minute no longer include these requests.",
  action: "organization:write",
  audited: "request_log.settings_updated",
  body: z.strictObject({
    retention_days: z.int().min(MIN_RETENTION_DAYS).max(MAX_RETENTION_DAYS).nullable(),
  }),
  response: requestLogSettings,
});

export const requestRoutes = [
  listRequests,
  exportRequests,
  getRequest,
  getRequestLogSettings,
  updateRequestLogSettings,
] as const;
