import { z } from "zod";
import { errorFacts } from "../error-facts.ts";
import { count, instant, optionalQuery, queryFlag, queryList, timestamp } from "../fields.ts";
import { apiKeyId, modelName, requestId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { reportBuckets } from "./report-fields.ts";

// Refusals: Claude requests that Bursar itself answered with an error.

export const refusalGroups = ["workspace", "api_key", "error_code", "model"] as const;
export type RefusalGroup = (typeof refusalGroups)[number];

const isUnknownKey =
  "The request had no key of this server. Only Owners and the local operator see such requests.";

/** Key of a refusal. Null: not grouped by it, or an unknown key. */
const keyFields = {
  workspace_id: workspaceId.nullable(),
  workspace_name: z.string().nullable(),
  api_key_id: apiKeyId.nullable(),
  api_key_name: z.string().nullable(),
  is_playground: z.boolean().meta({ description: "True: the key of a session of the playground." }),
  is_unknown_key: z.boolean().meta({ description: `True: ${isUnknownKey}` }),
};

const modelText = z.string().nullable().meta({
  description:
    "Model of the request, under its name in reports. Null: not grouped by it, or the body was not read.",
});
const errorCodeText = z.string().meta({ description: "Cause, from the list of error codes." });

export const refusalRow = z
  .object({
    starting_at: timestamp,
    ending_at: timestamp,
    ...keyFields,
    error_code: errorCodeText.nullable(),
    model: modelText,
    requests: count,
  })
  .meta({ id: "RefusalRow" });

export const refusalFacts = errorFacts
  .pick({
    header: true,
    allowed_models: true,
    limit: true,
    max_cost_usd: true,
    queue: true,
    awaited_node: true,
    rate_limit: true,
    unsupported: true,
  })
  .extend({
    fields: z.array(z.string()).meta({ description: "Names of the invalid fields." }),
  })
  .partial()
  .meta({
    description:
      "Facts of the response, without its text. Prompts and secrets are never stored. Each cause has its own.",
  });
export type RefusalFacts = z.output<typeof refusalFacts>;

export const refusal = z
  .object({
    id: requestId,
    type: z.literal("refusal"),
    refused_at: timestamp,
    ...keyFields,
    error_code: errorCodeText,
    http_status: z.int().meta({ description: "Status that the client received." }),
    model: modelText,
    address: z.string().nullable().meta({ description: "Address of the client." }),
    facts: refusalFacts,
  })
  .meta({ id: "Refusal" });

const MAX_CODE_LENGTH = 64;
const MAX_ID_LENGTH = 100;

const filters = {
  starting_at: optionalQuery(instant),
  ending_at: optionalQuery(instant),
  workspace_id: queryList(workspaceId),
  api_key_id: queryList(apiKeyId),
  error_code: queryList(
    z
      .string()
      .max(MAX_CODE_LENGTH)
      .regex(/^[a-z0-9_]+$/, "expected an error code"),
  ).meta({ description: "Causes, such as `rate_limited`." }),
  model: queryList(modelName),
  is_unknown_key: queryFlag.meta({ description: `\`true\`: only these. ${isUnknownKey}` }),
};

export const getRefusals = route({
  operationId: "getRefusals",
  method: "GET",
  path: "/v1/admin/refusals",
  summary: "Count refusals",
  description:
    "Counts the Claude requests that this server itself answered with an error, one row per bucket and group, newest and " +
    "largest first. Errors of the upstream are in the request log. Without a range, the report covers the last 24 hours. " +
    "Counts appear within ten seconds. They are kept by minute for 7 days, and by hour as long as usage. With bucket `none`, " +
    "a start within 7 days is exact to the minute.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    ...pageCursorQuery,
    ...filters,
    bucket: z.enum(reportBuckets).default("none").meta({
      description: "Time of one row. `none`: one row per group for the whole range.",
    }),
    group_by: queryList(z.enum(refusalGroups)).meta({
      description:
        "Labels that split the rows. Repeat the parameter, or separate values by commas.",
    }),
  }),
  response: z.object({
    data: z.array(refusalRow),
    totals: z.object({ requests: count }).meta({ description: "Sum of the whole range." }),
    next_page: z.string().nullable(),
    bucket: z.enum(reportBuckets),
    starting_at: timestamp,
    ending_at: timestamp,
  }),
});

export const listRecentRefusals = route({
  operationId: "listRecentRefusals",
  method: "GET",
  path: "/v1/admin/refusals/recent",
  summary: "List recent refusals",
  description:
    "Lists single refusals, newest first: the last 100 of each key and of all unknown keys, for at most 30 days.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    ...pageCursorQuery,
    ...filters,
    request_id: optionalQuery(
      z
        .string()
        .max(MAX_ID_LENGTH)
        .regex(/^[!-~]+$/, "expected an id"),
    ).meta({ description: "Id of a request, or a prefix that begins with `req_`." }),
  }),
  response: pageCursor(refusal),
});

export const refusalRoutes = [getRefusals, listRecentRefusals] as const;
