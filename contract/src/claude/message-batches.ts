import { z } from "zod";
import { modelName } from "../ids.ts";
import { page, pageQuery } from "../paging.ts";
import { type RouteSpec, route } from "../route.ts";

// Routes of message batches, for the documents. The gateway reads each request, and forwards the body unchanged.

const batchId = z.string().meta({ description: "Id of a message batch of the key's workspace." });
const batchParams = z.strictObject({ message_batch_id: batchId });
const batch = z.looseObject({
  id: z.string(),
  type: z.literal("message_batch"),
  processing_status: z.enum(["in_progress", "canceling", "ended"]),
  request_counts: z.looseObject({
    processing: z.int(),
    succeeded: z.int(),
    errored: z.int(),
    canceled: z.int(),
    expired: z.int(),
  }),
  created_at: z.string(),
  expires_at: z.string(),
  ended_at: z.string().nullable(),
  results_url: z.string().nullable(),
});
const batchRequest = z.strictObject({
  custom_id: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  params: z.looseObject({
    model: modelName,
    max_tokens: z.int().min(1),
    messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })),
  }),
});

export const messageBatchRoutes = [
  route({
    operationId: "createMessageBatch",
    method: "POST",
    path: "/v1/messages/batches",
    summary: "Create a message batch",
    description:
      "Sends at most 100,000 messages in 256 MB, which Claude answers within 24 hours at half of the token prices. The " +
      "highest cost of all messages is held under strict spend limits first. One refused message refuses the batch, and " +
      "the error names it, as in `requests.17.params.model`.",
    action: "batches:write",
    audited: null,
    canConflict: true,
    body: z.strictObject({ requests: z.array(batchRequest).min(1).max(100_000) }),
    response: batch,
  }),
  route({
    operationId: "listMessageBatches",
    method: "GET",
    path: "/v1/messages/batches",
    summary: "List message batches",
    description: "Returns the message batches of the workspace of the key, newest first.",
    action: "batches:read",
    audited: null,
    query: z.strictObject(pageQuery),
    response: page(batch),
  }),
  route({
    operationId: "getMessageBatch",
    method: "GET",
    path: "/v1/messages/batches/{message_batch_id}",
    summary: "Get a message batch",
    description: "Returns the newest state, from the upstream.",
    action: "batches:read",
    audited: null,
    params: batchParams,
    response: batch,
  }),
  route({
    operationId: "getMessageBatchResults",
    method: "GET",
    path: "/v1/messages/batches/{message_batch_id}/results",
    summary: "Get the results of a message batch",
    description:
      "Returns one JSON object in each line, in any order, with `custom_id` and `result`.",
    action: "batches:read",
    audited: null,
    params: batchParams,
    response: z.looseObject({}).meta({ description: "Lines of JSON (`application/x-jsonl`)." }),
    isBytes: true,
  }),
  route({
    operationId: "cancelMessageBatch",
    method: "POST",
    path: "/v1/messages/batches/{message_batch_id}/cancel",
    summary: "Cancel a message batch",
    description:
      "Ends the batch soon. Messages that have an answer keep it and their cost, and the others cost nothing.",
    action: "batches:write",
    audited: null,
    params: batchParams,
    response: batch,
  }),
  route({
    operationId: "deleteMessageBatch",
    method: "DELETE",
    path: "/v1/messages/batches/{message_batch_id}",
    summary: "Delete a message batch",
    description:
      "Deletes an ended batch and its results, after their cost is recorded. Before, the error is `batch_not_metered`.",
    action: "batches:write",
    audited: null,
    canConflict: true,
    params: batchParams,
    response: z.looseObject({ id: z.string(), type: z.literal("message_batch_deleted") }),
  }),
] as const satisfies readonly RouteSpec[];
