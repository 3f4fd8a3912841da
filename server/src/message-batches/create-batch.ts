import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { inTransaction } from "#src/db/transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import { type AdmitDeps, checkSoftLimits } from "#src/gateway/admit-request.ts";
import { findClientFamily } from "#src/gateway/client-family.rule.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import { toSpendScope } from "#src/gateway/spend-scope.ts";
import type { Logger } from "#src/lib/logger.ts";
import { parseJson } from "#src/lib/parse-json.ts";
import { readWhole, type StreamedAnswer } from "#src/lib/streamed-answer.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import {
  type BatchState,
  deleteLines,
  deleteUnheldBatch,
  endBatch,
  findBatch,
  findSameBatch,
  insertBatch,
  markLost,
  markRunning,
  markSent,
  type StoredBatch,
  setUpstream,
} from "./batches.sql.ts";
import { type CheckDeps, makeLineCheck, NamedObjects } from "./check-line.ts";
import { type HoldBatchDeps, holdBatch } from "./hold-batch.ts";
import { releaseHold } from "./meter-batch.ts";
import { MAX_ANSWER_BYTES } from "./read-answer.ts";
import { readReported, toClientObject } from "./reported-batch.ts";
import { MAX_BATCH_BYTES, removeBody, type StoredBody, storeBody } from "./store-body.ts";

// A new batch: its lines, its hold, the mark as sent, the dispatch, its id, and the answer, in this order.

export interface CreateDeps extends HoldBatchDeps, CheckDeps, Pick<AdmitDeps, "ledger"> {
  prices: { get(organizationId: string): PriceBook };
  /** Milliseconds since the epoch on the database's clock. */
  databaseNowMs: () => number;
  nodeId: string;
  /** Folder of bodies. */
  folder: string;
  logger: Logger;
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
  await insertBatch(deps.database, {
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
  });
  try {
    const named = new NamedObjects();
    const stored = await storeBody(lineDepsOf(deps, call, { scope, startedAtMs, named }), id, body);
    const same = await findRepeated(deps, call, stored.hash);
    if (same !== null) {
      await deleteUnheldBatch(deps.database, id);
      answerRepeated(call, same);
      return;
    }
    const pinned = await pinBatch(deps, call, { upstream, named });
    const { lineCount, holdNanoUsd, hash: bodyHash } = stored;
    const startedAt = new Date(startedAtMs);
    const held = { id, scope, startedAt, lineCount, holdNanoUsd, bodyHash };
    await holdBatch(deps, held, call.signal);
    await dispatchBatch(deps, call, { upstream: pinned, stored });
  } finally {
    // Without the database, the recovery ends the batch.
    await endUnanswered(deps, id).catch((failure: unknown) => {
      deps.logger.warn({ err: failure, requestId: id }, "a refused message batch is ended later");
    });
    await removeBody(deps.folder, id);
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

/** Returns the upstream of a batch: the one that has the objects of its requests, or the first of the workspace. */
async function pinBatch(
  deps: CreateDeps,
  call: ObjectCall,
  { upstream, named }: { upstream: Upstream; named: NamedObjects },
): Promise<Upstream> {
  const upstreamId = await named.findUpstreamId(deps, call.key);
  if (upstreamId === null || upstreamId === upstream.id) return upstream;
  const pinned = call.getUpstream(upstreamId);
  const isSimulated = pinned.kind === "simulator";
  await setUpstream(deps.database, call.requestId, { upstreamId, isSimulated });
  return pinned;
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
  upstream: Upstream;
  stored: StoredBody;
}

/** Sends a held batch, once. A batch whose answer is unknown stays as sent, and is looked for. */
async function dispatchBatch(
  deps: CreateDeps,
  call: ObjectCall,
  { upstream, stored }: Dispatch,
): Promise<void> {
  const id = call.requestId;
  const body: Readable = createReadStream(stored.path);
  try {
    if (!(await markSent(deps.database, id)))
      throw new Error("another process has ended the batch");
    const { target } = call;
    const sent = { method: "POST", target, body, bodyBytes: stored.bytes } as const;
    const answer = await call.send(upstream, sent);
    await receiveAnswer(deps, call, answer);
  } catch (error) {
    const isUnsent = error instanceof ApiError && error.code === "upstream_unreachable";
    if (isUnsent) await refuseSent(deps, id);
    throw error;
  } finally {
    body.destroy();
  }
}

async function receiveAnswer(
  deps: CreateDeps,
  call: ObjectCall,
  answer: StreamedAnswer,
): Promise<void> {
  const id = call.requestId;
  const body = await readWhole(answer, MAX_ANSWER_BYTES);
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
  const running = { upstreamBatchId, object, expiresAt, endedAt };
  if (!(await markRunning(deps.database, id, running))) {
    deps.logger.error({ requestId: id, upstreamBatchId }, "a message batch was given up too early");
  }
  call.answer(200, toClientObject(object, call.origin));
}

/** True for answers after which the upstream runs nothing. After any other error it may have created the batch. */
function isRefusedBy(status: number): boolean {
  return (status >= 400 && status < 500) || status === 529;
}

/** Ends a batch that the upstream does not have, and releases its hold. */
function refuseSent(deps: CreateDeps, id: string): Promise<void> {
  return refuseBatch(deps, id, "sent");
}

/** Ends a batch of which nothing was sent, and marks a sent one without an answer as lost. Does nothing for any other. */
async function endUnanswered(deps: CreateDeps, id: string): Promise<void> {
  const batch = await findBatch(deps.database, id);
  if (batch?.state === "preparing") await deleteUnheldBatch(deps.database, id);
  else if (batch?.state === "held") await refuseBatch(deps, id, "held");
  else if (batch?.state === "sent") await markLost(deps.database, id);
}

async function refuseBatch(deps: CreateDeps, id: string, from: BatchState): Promise<void> {
  await inTransaction(
    deps.database,
    async (tx) => {
      const batch = await findBatch(tx, id);
      if (batch === null || !(await endBatch(tx, id, { from: [from], to: "refused" }))) return;
      await releaseHold(tx, batch);
      await deleteLines(tx, id);
    },
    { deadlockRetries: 3 },
  );
}
