import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { inTransaction } from "#src/db/transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import { type AdmitDeps, checkSoftLimits } from "#src/gateway/admit-request.ts";
import { findClientFamily } from "#src/gateway/client-family.rule.ts";
import type { RequestBody } from "#src/gateway/object-body.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import { toSpendScope } from "#src/gateway/spend-scope.ts";
import type { Logger } from "#src/lib/logger.ts";
import { parseJson } from "#src/lib/parse-json.ts";
import type { StreamedAnswer } from "#src/lib/streamed-answer.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import { keepUpstream } from "#src/upstreams/batches-at-upstream.sql.ts";
import type { UpstreamOrder } from "#src/upstreams/upstream.ts";
import type { AcceptedBatches } from "./accepted-batches.ts";
import {
  type BatchState,
  type BatchUpstream,
  deleteLines,
  deleteUnheldBatch,
  endBatch,
  findBatch,
  findSameBatch,
  insertBatch,
  markLost,
  markRunning,
  markSent,
  type NewBatch,
  type ReportedBatch,
  type StoredBatch,
} from "./batches.sql.ts";
import { type CheckDeps, makeLineCheck, NamedObjects } from "./check-line.ts";
import { type HoldBatchDeps, holdBatch } from "./hold-batch.ts";
import { releaseHold } from "./meter-batch.ts";
import { MAX_ANSWER_BYTES } from "./read-answer.ts";
import { type AcceptedBatch, reinstateBatch } from "./reinstate-batch.ts";
import { readReported, toClientObject } from "./reported-batch.ts";
import { MAX_BATCH_BYTES, removeBody, type StoredBody, storeBody } from "./store-body.ts";

// A new batch: its lines, its hold, the mark as sent, the dispatch, its id, and the answer, in this order.

export interface CreateDeps extends HoldBatchDeps, CheckDeps, Pick<AdmitDeps, "ledger"> {
  leases: HoldBatchDeps["leases"] & CheckDeps["leases"];
  prices: { get(organizationId: string): PriceBook };
  /** Milliseconds since the epoch on the database's clock. */
  databaseNowMs: () => number;
  nodeId: string;
  /** Folder of bodies. */
  folder: string;
  logger: Logger;
  /** Batches that a failover of the database can lose. */
  accepted: Pick<AcceptedBatches, "keep">;
}

/** Time in which a client repeats a request whose answer it did not get, milliseconds. */
const REPEATED_WITHIN_MS = 3_600_000;

/** Creates a batch, and answers the client. Rejects with the refusal. */
export async function createBatch(deps: CreateDeps, call: ObjectCall): Promise<void> {
  const { key, requestId: id } = call;
  const scope = toSpendScope(key);
  const [upstream] = call.upstreams();
  const startedAtMs = Math.floor(deps.databaseNowMs());
  checkSoftLimits(deps, scope, startedAtMs);
  const { body } = call.openBody(MAX_BATCH_BYTES);
  const batch: NewBatch = {
    id,
    organizationId: key.organizationId,
    workspaceId: key.workspaceId,
    apiKeyId: key.id,
    memberId: key.ownerMemberId,
    groupIds: key.groupIds,
    tagIds: key.tagIds,
    client: findClientFamily(call.fields.find("user-agent")),
    upstreamId: upstream.id,
    isSimulated: upstream.kind === "simulator",
    startedAt: new Date(startedAtMs),
    nodeId: deps.nodeId,
  };
  await insertBatch(deps.database, batch);
  let isKept = false;
  try {
    const named = new NamedObjects();
    const lines = lineDepsOf(deps, call, { scope, startedAtMs, named });
    const stored = await storeBody(lines, id, body);
    const same = await findRepeated(deps, call, stored.hash);
    if (same !== null) {
      await deleteUnheldBatch(deps.database, id);
      answerRepeated(call, same);
      return;
    }
    const upstreamId = await named.findUpstreamId(deps, key);
    const { startedAt } = batch;
    const held = await holdBatch(deps, { id, scope, startedAt, stored }, call.signal);
    // During the body and the wait for budget, the upstreams can change.
    const order: UpstreamOrder =
      upstreamId === null ? call.upstreams() : [call.getUpstream(upstreamId)];
    await dispatchBatch(deps, call, {
      ...{ order, stored },
      async onRunning(running, upstream) {
        const accepted = { batch, held, stored, lines, upstream, running };
        deps.accepted.keep(accepted);
        isKept = true;
        if (await markRunning(deps.database, id, running)) return;
        await reinstateBatch(deps.database, accepted);
      },
    });
  } finally {
    // Without the database, the recovery ends the batch.
    await endUnanswered(deps, id).catch((failure: unknown) => {
      deps.logger.warn({ err: failure, requestId: id }, "a refused message batch is ended later");
    });
    if (!isKept) await removeBody(deps.folder, id);
  }
}

function lineDepsOf(
  deps: CreateDeps,
  { key }: ObjectCall,
  of: { scope: SpendScope; startedAtMs: number; named: NamedObjects },
) {
  const { database, folder } = deps;
  const book = deps.prices.get(key.organizationId);
  const { scope, startedAtMs: atMs, named } = of;
  const check = makeLineCheck(deps, { key, scope, named });
  return { database, folder, features: book.features, book, atMs, check };
}

/** Finds the batch of an earlier attempt of the same client with the same body. Null: this is the first attempt. */
async function findRepeated(
  deps: CreateDeps,
  call: ObjectCall,
  bodyHash: string,
): Promise<StoredBatch | null> {
  const isRetry = Number(call.fields.find("x-stainless-retry-count") ?? 0) > 0;
  if (!isRetry) return null;
  const sinceMs = deps.databaseNowMs() - REPEATED_WITHIN_MS;
  const of = { apiKeyId: call.key.id, bodyHash, sinceMs, exceptId: call.requestId };
  return findSameBatch(deps.database, of);
}

function answerRepeated(call: ObjectCall, same: StoredBatch): void {
  if (same.upstreamBatchId !== null) {
    call.answer(200, toClientObject(same.lastObject, call.origin));
    return;
  }
  throw new ApiError(
    "batch_in_progress",
    `The same batch was sent as request ${same.id}, and the Claude API has not answered yet. Send the request again shortly.`,
    { "retry-after": "5", "x-should-retry": "true" },
  );
}

interface Dispatch {
  order: UpstreamOrder;
  stored: StoredBody;
  /** Called with the batch that the upstream has accepted. Rejects with the database's error. */
  onRunning: (running: ReportedBatch, upstream: AcceptedBatch["upstream"]) => Promise<void>;
}

/** Sends a held batch, once to each upstream. A batch whose answer is unknown stays as sent, and is looked for. */
async function dispatchBatch(
  deps: CreateDeps,
  call: ObjectCall,
  { order, stored, onRunning }: Dispatch,
): Promise<void> {
  const id = call.requestId;
  let isSent = false;
  let sentTo: AcceptedBatch["upstream"] | null = null;
  const send = () =>
    call.sendInOrder(order, {
      method: "POST",
      target: call.target,
      body: toFileBody(stored),
      async onSending({ id: upstreamId, kind, describe }, failover) {
        const upstream = { upstreamId, isSimulated: kind === "simulator", failover };
        sentTo = upstream;
        await markSentTo(deps, call, { ...upstream, isStored: describe.source === "stored" });
      },
      onSent() {
        isSent = true;
      },
    });
  try {
    const { answer } = await send();
    await receiveAnswer(deps, call, answer, async (running) => {
      if (sentTo !== null) await onRunning(running, sentTo);
    });
  } catch (error) {
    if (!isSent) await refuseBatch(deps, id, ["held", "sent"]);
    throw error;
  }
}

/** Marks the batch as sent. Rejects if its upstream was deleted, or another process has ended the batch. */
async function markSentTo(
  { database }: CreateDeps,
  { requestId, key: { organizationId } }: ObjectCall,
  { isStored, ...upstream }: BatchUpstream & { isStored: boolean },
): Promise<void> {
  const { upstreamId } = upstream;
  await inTransaction(database, async (tx) => {
    if (isStored && !(await keepUpstream(tx, { organizationId, upstreamId }))) {
      throw new ApiError(
        "upstream_unusable",
        "The upstream was deleted while the message batch arrived. Send the batch again.",
      );
    }
    if (await markSent(tx, requestId, upstream)) return;
    throw new Error("another process has ended the batch");
  });
}

/** Body in a file, which is open while it is read. */
function toFileBody({ path, bytes }: StoredBody): RequestBody {
  let failure: Error | null = null;
  async function* read(): AsyncGenerator<Buffer> {
    try {
      yield* createReadStream(path) as AsyncIterable<Buffer>;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
  return {
    bytes,
    get error() {
      return failure;
    },
    canOpen: () => true,
    open: () => Readable.from(read()),
  };
}

async function receiveAnswer(
  deps: CreateDeps,
  call: ObjectCall,
  answer: StreamedAnswer,
  onRunning: (running: ReportedBatch) => Promise<void>,
): Promise<void> {
  const id = call.requestId;
  const body = await call.readAnswer(answer, MAX_ANSWER_BYTES);
  if (isRefusedBy(answer.status)) await refuseSent(deps, id);
  const reported = answer.status === 200 ? readReported(parseJson(body)) : null;
  if (reported === null) {
    if (answer.status < 300) {
      deps.logger.error({ requestId: id }, "the answer to a message batch has no batch");
    }
    call.relayRead(answer, body);
    return;
  }
  const { id: upstreamBatchId, object, expiresAt, endedAt } = reported;
  await onRunning({ upstreamBatchId, object, expiresAt, endedAt });
  call.answer(200, toClientObject(object, call.origin));
}

/** True for answers after which the upstream runs nothing. After any other error it may have created the batch. */
function isRefusedBy(status: number): boolean {
  return (status >= 400 && status < 500) || status === 529;
}

/** Ends a batch that the upstream does not have, and releases its hold. */
function refuseSent(deps: CreateDeps, id: string): Promise<void> {
  return refuseBatch(deps, id, ["sent"]);
}

/** Ends a batch of which nothing was sent, and marks a sent one without an answer as lost. Does nothing for any other. */
async function endUnanswered(deps: CreateDeps, id: string): Promise<void> {
  const batch = await findBatch(deps.database, id);
  if (batch?.state === "preparing") await deleteUnheldBatch(deps.database, id);
  else if (batch?.state === "held") await refuseBatch(deps, id, ["held"]);
  else if (batch?.state === "sent") await markLost(deps.database, id);
}

async function refuseBatch(
  deps: CreateDeps,
  id: string,
  from: readonly BatchState[],
): Promise<void> {
  await inTransaction(
    deps.database,
    async (tx) => {
      const batch = await findBatch(tx, id);
      if (batch === null || !(await endBatch(tx, id, { from, to: "refused" }))) return;
      await releaseHold(tx, batch);
      await deleteLines(tx, id);
    },
    { deadlockRetries: 3 },
  );
}
