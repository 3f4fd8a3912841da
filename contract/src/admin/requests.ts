import { z } from "zod";
import { count, instant, optionalQuery, timestamp, usdAmount, usdText } from "../fields.ts";
import { apiKeyId, memberId, requestId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import {
  costBreakdown,
  exportFormat,
  measuredFields,
  reportFilters,
  requestStatuses,
} from "./report-fields.ts";

const outcomes = ["answered", "refused", "unreached", "aborted", "interrupted"] as const;

const requestFields = {
  id: requestId,
  type: z.literal("request"),
  started_at: timestamp.meta({
    description:
      "When it was admitted: its body was there, and limits let it pass. All times count from here.",
  }),
  ended_at: timestamp,
  workspace_id: workspaceId,
  workspace_name: z.string().nullable(),
  api_key_id: apiKeyId,
  api_key_name: z.string().nullable(),
  is_playground: z.boolean().meta({
    description:
      "Made by the member in the playground of the console. Such a key is in no list of keys and has no page.",
  }),
  member_id: memberId.nullable(),
  member_name: z.string().nullable(),
  member_email: z.string().nullable(),
  requested_model: z.string(),
  model: z
    .string()
    .meta({ description: "The model that answered, under the name of the reports." }),
  status: z.enum(requestStatuses),
  outcome: z.enum(outcomes),
  http_status: z.int().nullable().meta({ description: "What the client got; null: nothing." }),
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
      "From `started_at` to the upstream's first byte, never more than `latency_ms`; null: nothing came.",
  }),
  upstream_request_id: z.string().nullable(),
};

export const loggedRequest = z.object(requestFields).meta({ id: "LoggedRequest" });

export const loggedRequestDetail = z
  .object({
    ...requestFields,
    cost_breakdown_usd: costBreakdown,
    prices: z.json().meta({ description: "The price row that was used." }),
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

const requestFilters = {
  starting_at: optionalQuery(instant).meta({ description: "Not before this time." }),
  ending_at: optionalQuery(instant).meta({ description: "Before this time." }),
  ...reportFilters,
  min_cost_usd: optionalQuery(usdAmount).meta({ description: "Of at least this cost." }),
  request_id: idText("A request's id, or its beginning from `req_` on."),
  upstream_request_id: idText("The upstream's id of the request, exactly."),
};

export const listRequests = route({
  operationId: "listRequests",
  method: "GET",
  path: "/v1/admin/requests",
  summary: "List requests to Claude",
  description:
    "The request log, newest first. Every request that was sent has one entry, within two seconds of its end; prompts and " +
    "answers are never in it. With rare filters a page can be short or empty although `next_page` is set: then a part of the " +
    "log was searched, and the next page goes on from there.",
  action: "usage:read",
  audited: null,
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
    "All that the filters leave of the request log as a file, newest first, up to the moment the export began.",
  action: "usage:read",
  audited: null,
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
      description: "Whole days that single requests are kept; null: for ever.",
    }),
    pruned_before: timestamp.nullable().meta({
      description:
        "Requests that began before it have been deleted. Usage and cost keep counting them.",
    }),
  })
  .meta({ id: "RequestLogSettings" });

export const getRequestLogSettings = route({
  operationId: "getRequestLogSettings",
  method: "GET",
  path: "/v1/admin/request_log/settings",
  summary: "Get how long requests are kept",
  action: "organization:read",
  audited: null,
  response: requestLogSettings,
});

export const updateRequestLogSettings = route({
  operationId: "updateRequestLogSettings",
  method: "POST",
  path: "/v1/admin/request_log/settings",
  summary: "Set how long requests are kept",
  description:
    "In days, at least 7; null keeps them for ever, as it is from the start. Older requests are deleted within a day, for " +
    "good; usage, cost and spend are not touched, only minutes can no longer be reported of them.",
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
