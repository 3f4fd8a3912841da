import { isUnavailable } from "#src/db/database-error.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { OBJECT_ID } from "#src/domain/object-name.ts";
import { fromIds, type Position, readListQuery, toPage } from "#src/domain/page-position.ts";
import type { ObjectCall, ObjectServer } from "#src/gateway/object-call.ts";
import { parseJson } from "#src/lib/parse-json.ts";
import type { BatchWorker } from "./batch-worker.ts";
import {
  deleteMeteredBatch,
  findBatchOfUpstream,
  listBatches,
  type StoredBatch,
  saveReported,
} from "./batches.sql.ts";
import { type CreateDeps, createBatch } from "./create-batch.ts";
import { MAX_ANSWER_BYTES } from "./read-answer.ts";
import { readReported, toClientObject } from "./reported-batch.ts";

// Calls about message batches. An id of another workspace is unknown here, as one that never existed.

export interface ServeDeps extends CreateDeps {
  worker: Pick<BatchWorker, "follow">;
}

/** Makes the server of message batches. */
export function makeBatchServer(deps: ServeDeps): Pick<ObjectServer, "serve"> {
  return {
    async serve(call) {
      try {
        await serve(deps, call);
      } catch (error) {
        throw isUnavailable(error) ? makeUnavailableError() : error;
      }
    },
  };
}

function makeUnavailableError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The database of this server does not respond. Send the request again shortly.",
    { "retry-after": "2" },
  );
}

function serve(deps: ServeDeps, call: ObjectCall): Promise<void> {
  switch (call.route.operation) {
    case "batches.create":
      return createBatch(deps, call);
    case "batches.list":
      return answerList(deps, call);
    case "batches.get":
      return relayObject(deps, call, "GET");
    case "batches.cancel":
      return relayObject(deps, call, "POST");
    case "batches.results":
      return relayResults(deps, call);
    case "batches.delete":
      return deleteBatch(deps, call);
    default:
      return Promise.reject(new Error(`no message batches: ${call.route.operation}`));
  }
}

async function getBatch(deps: ServeDeps, { key, route }: ObjectCall): Promise<StoredBatch> {
  const { organizationId, workspaceId } = key;
  const of = { organizationId, workspaceId, upstreamBatchId: route.id };
  const batch = await findBatchOfUpstream(deps.database, of);
  if (batch !== null) return batch;
  throw new ApiError(
    "resource_not_found",
    `Message batch ${route.id} not found.`,
    {},
    { resource: "message_batch" },
  );
}

/** Asks the upstream for the newest state, or cancels the batch. */
async function relayObject(
  deps: ServeDeps,
  call: ObjectCall,
  method: "GET" | "POST",
): Promise<void> {
  const batch = await getBatch(deps, call);
  const answer = await call.send(call.getUpstream(batch.upstreamId), {
    method,
    target: call.target,
  });
  const body = await call.readAnswer(answer, MAX_ANSWER_BYTES);
  const reported = answer.status === 200 ? readReported(parseJson(body)) : null;
  if (reported === null) {
    call.relayRead(answer, body);
    return;
  }
  const isDue = method === "POST" || reported.isEnded;
  await saveReported(deps.database, batch.id, reported, { isDue });
  call.answer(200, toClientObject(reported.object, call.origin));
}

async function relayResults(deps: ServeDeps, call: ObjectCall): Promise<void> {
  const batch = await getBatch(deps, call);
  const upstream = call.getUpstream(batch.upstreamId);
  await call.relay(await call.send(upstream, { method: "GET", target: call.target }));
}

/** Deletes a batch after its results are recorded, because nothing could record them afterwards. */
async function deleteBatch(deps: ServeDeps, call: ObjectCall): Promise<void> {
  const batch = await getBatch(deps, call);
  if (batch.state !== "metered" && !(await followQuietly(deps, batch))) {
    const isEnded = (await getBatch(deps, call)).endedAt !== null;
    throw makeNotMeteredError(isEnded);
  }
  const upstream = call.getUpstream(batch.upstreamId);
  const answer = await call.send(upstream, { method: "DELETE", target: call.target });
  const body = await call.readAnswer(answer, MAX_ANSWER_BYTES);
  if (answer.status === 200) await deleteMeteredBatch(deps.database, batch.id);
  call.relayRead(answer, body);
}

async function followQuietly(deps: ServeDeps, batch: StoredBatch): Promise<boolean> {
  try {
    return await deps.worker.follow(batch);
  } catch (error) {
    deps.logger.warn({ err: error, requestId: batch.id }, "a message batch cannot be metered yet");
    return false;
  }
}

function makeNotMeteredError(isEnded: boolean): ApiError {
  return isEnded
    ? new ApiError(
        "batch_not_metered",
        "The results of this batch are being recorded. Delete it again shortly.",
        { "retry-after": "5", "x-should-retry": "true" },
      )
    : new ApiError(
        "batch_not_metered",
        "This batch has not ended, so it cannot be deleted. Cancel it first, or wait until it has ended.",
        { "x-should-retry": "false" },
      );
}

/** Lists the batches of the workspace, newest first, from the table. */
async function answerList(deps: ServeDeps, call: ObjectCall): Promise<void> {
  const { organizationId, workspaceId } = call.key;
  const request = await fromIds(readListQuery(call.query), async (id) => {
    // The database refuses some texts, such as NUL.
    if (!OBJECT_ID.test(id)) return null;
    const of = { organizationId, workspaceId, upstreamBatchId: id };
    const batch = await findBatchOfUpstream(deps.database, of);
    return batch === null ? null : positionOf(batch);
  });
  const found = await listBatches(deps.database, { organizationId, workspaceId }, request);
  const { rows, hasMore } = toPage(found, request, positionOf);
  call.answer(200, {
    data: rows.map(({ lastObject }) => toClientObject(lastObject, call.origin)),
    has_more: hasMore,
    first_id: rows.at(0)?.upstreamBatchId ?? null,
    last_id: rows.at(-1)?.upstreamBatchId ?? null,
  });
}

function positionOf({ startedAt, id }: StoredBatch): Position {
  return { createdAtMs: startedAt.getTime(), id };
}
