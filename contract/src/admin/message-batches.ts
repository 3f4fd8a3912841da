import { z } from "zod";
import {
  count,
  instant,
  optionalQuery,
  queryList,
  reasonText,
  timestamp,
  usdText,
} from "../fields.ts";
import { apiKeyId, memberId, messageBatchId, requestId, upstreamId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { failoverReasons } from "../usage-shape.ts";

export const messageBatchStatuses = [
  "arriving",
  "held",
  "sent",
  "in_progress",
  "canceling",
  "recording",
  "ended",
  "refused",
  "unresolved",
] as const;
export type MessageBatchStatus = (typeof messageBatchStatuses)[number];

const statusDescription =
  "`arriving`: its body arrives. `held`: its cost is held, and nothing was sent. `sent`: the upstream may have it, and has not " +
  "answered. `in_progress`, `canceling`: the upstream runs it. `recording`: it has ended, and its results are being recorded. " +
  "`ended`: all its requests are recorded, released or charged. `refused`: the upstream does not have it. `unresolved`: the " +
  "cost of some requests is unknown, and their hold counts as spent until it is released or charged.";

const requestCounts = z
  .object({
    processing: count,
    succeeded: count,
    errored: count,
    canceled: count,
    expired: count,
  })
  .nullable()
  .meta({
    description:
      "Requests of the batch by result, as the upstream has reported last. Null: no report.",
  });

/** A message batch as the Admin API shows it, without requests and results. */
export const storedBatch = z
  .object({
    id: requestId.meta({
      description: "Id of the batch here: the request id of the call that created it, `req_…`.",
    }),
    type: z.literal("message_batch"),
    upstream_batch_id: z.string().nullable().meta({
      description: "Id for clients, `msgbatch_…`. Null: the upstream has not answered.",
    }),
    status: z.enum(messageBatchStatuses).meta({ description: statusDescription }),
    workspace_id: workspaceId,
    workspace_name: z.string().nullable(),
    api_key_id: apiKeyId,
    api_key_name: z.string().nullable(),
    member_id: memberId.nullable().meta({ description: "Owner of the key at the creation." }),
    upstream_id: upstreamId.nullable().meta({
      description: "Null: the upstream of the server's environment, or the simulator.",
    }),
    failover: z.enum(failoverReasons).nullable().meta({
      description:
        "Why the first upstream of the order did not take it. Null: it is the first one.",
    }),
    is_simulated: z.boolean(),
    request_count: count.meta({ description: "Requests of the batch." }),
    recorded_requests: count.meta({ description: "Requests whose result is recorded." }),
    request_counts: requestCounts,
    cost_usd: usdText.meta({ description: "Cost of the recorded requests." }),
    hold_usd: usdText.meta({
      description: "Highest cost of all its requests, held when it was created.",
    }),
    held_usd: usdText.meta({ description: "Part of the hold that still counts against limits." }),
    unresolved_usd: usdText.meta({
      description: "Amount with an unknown outcome. Limits count it as spent.",
    }),
    created_at: timestamp.meta({ description: "The cost counts in the periods of this time." }),
    ended_at: timestamp.nullable().meta({ description: "Null: the upstream has not ended it." }),
    expires_at: timestamp.nullable(),
  })
  .meta({ id: "StoredBatch" });

const params = z.strictObject({
  message_batch_id: messageBatchId.meta({
    description: "Id of the batch here, `req_…`, or at its upstream, `msgbatch_…`.",
  }),
});

export const listStoredBatches = route({
  operationId: "listStoredBatches",
  method: "GET",
  path: "/v1/admin/message_batches",
  summary: "List message batches",
  description:
    "Returns the message batches of workspaces, newest first, without requests and results. Only keys of a workspace read those. " +
    "Deleted batches are not listed. Their requests stay in the request log.",
  action: "usage:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    workspace_id: queryList(workspaceId),
    api_key_id: queryList(apiKeyId),
    upstream_id: queryList(upstreamId),
    status: queryList(z.enum(messageBatchStatuses)).meta({ description: statusDescription }),
    starting_at: optionalQuery(instant).meta({ description: "Created at this time or later." }),
    ending_at: optionalQuery(instant).meta({ description: "Created before this time." }),
  }),
  response: pageCursor(storedBatch),
});

export const getStoredBatch = route({
  operationId: "getStoredBatch",
  method: "GET",
  path: "/v1/admin/message_batches/{message_batch_id}",
  summary: "Get a message batch",
  description: "Returns the last known state. The server asks the upstream at least once a minute.",
  action: "usage:read",
  audited: null,
  params,
  response: storedBatch,
});

export const cancelStoredBatch = route({
  operationId: "cancelStoredBatch",
  method: "POST",
  path: "/v1/admin/message_batches/{message_batch_id}/cancel",
  summary: "Cancel a message batch",
  description:
    "Asks the upstream to cancel the batch, which then ends soon. Finished requests keep their results and their cost.",
  action: "workspaces:write",
  audited: "message_batch.canceled",
  params,
  response: storedBatch,
});

export const abandonStoredBatch = route({
  operationId: "abandonStoredBatch",
  method: "POST",
  path: "/v1/admin/message_batches/{message_batch_id}/abandon",
  summary: "Abandon a message batch",
  description:
    "Ends a batch at an upstream that is gone for good. The hold of all requests without a recorded result becomes unresolved: " +
    "limits count it as spent until it is released or charged. Later results are never recorded. A batch whose upstream still " +
    "answers for it is a 409 with the `error_code` `batch_readable`. Cannot be undone.",
  action: "spend:resolve",
  audited: "message_batch.abandoned",
  stepUp: true,
  params,
  body: z.strictObject({
    reason: reasonText,
    force: z.boolean().default(false).meta({
      description: "Abandon the batch without asking its upstream, also if its results are there.",
    }),
  }),
  response: storedBatch,
});

export const messageBatchRoutes = [
  listStoredBatches,
  getStoredBatch,
  cancelStoredBatch,
  abandonStoredBatch,
] as const;
