import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as turnEnd } from "node:timers/promises";
import { newId } from "#src/lib/ids.ts";
import { type Exchange, isBeta, type SimulatorDeps, sendObject } from "../exchange.ts";
import { makePromptCache } from "../prompt-cache.ts";
import { SimulatedError } from "../simulated-error.ts";
import { type AnsweredLine, answerLine, readLine } from "./answer-batch-line.ts";
import { listOutcomes, timesOf, toWireBatch } from "./batch-state.ts";
import { selectByIds } from "./list-pages.ts";
import type { BatchRecord, LineKind, MessageBatchStore } from "./object-stores.ts";
import { splitRequests } from "./split-requests.ts";

/** Official limits of a batch. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;
const MAX_LINES = 100_000;
const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** Lines between two turns of the event loop, which other requests use. */
const LINES_PER_TURN = 32;
const MAX_CHUNK_CHARACTERS = 64 * 1024;

/** `POST /v1/messages/batches`. All lines are answered now, and returned when the batch has ended. */
export async function answerBatchCreation(deps: SimulatorDeps, exchange: Exchange): Promise<void> {
  const { batches, clock } = deps;
  const id = newId("msgbatch_", clock.nowMs());
  const results = await batches.pathFor(id, "results");
  const lines: [LineKind, number][] = [];
  let slowMs = 0;
  const add = ({ kind, slowMs: ms }: AnsweredLine) => {
    slowMs = Math.max(slowMs, ms);
    const last = lines.at(-1);
    if (last?.[0] === kind) last[1]++;
    else lines.push([kind, 1]);
  };
  try {
    const texts = answerLines(deps, exchange, { batchId: id, add });
    await pipeline(Readable.from(texts), createWriteStream(results, { mode: 0o600 }));
    const record: BatchRecord = { id, createdMs: clock.nowMs(), canceledMs: null, slowMs, lines };
    await batches.put(record);
    sendBatch(deps, exchange, record);
  } catch (error) {
    await rm(results, { force: true });
    throw error;
  }
}

interface NewBatch {
  batchId: string;
  add(line: AnsweredLine): void;
}

/** Reads all lines of the request. Generates their results. */
async function* answerLines(
  deps: SimulatorDeps,
  exchange: Exchange,
  { batchId, add }: NewBatch,
): AsyncGenerator<string, void, undefined> {
  const seen = new Set<string>();
  // Own cache: the same batch has the same usage each time.
  const cache = makePromptCache();
  const context = { ...deps, cache, isBeta: isBeta(exchange) };
  for await (const bytes of splitRequests(readChunks(exchange.request), {
    maxBytes: MAX_BATCH_BYTES,
    maxRequests: MAX_LINES,
    maxRequestBytes: MAX_LINE_BYTES,
  })) {
    const index = seen.size;
    const line = readLine(bytes, index);
    if (seen.has(line.customId)) {
      throw new SimulatedError(400, `requests.${index}.custom_id: must be unique within the batch`);
    }
    seen.add(line.customId);
    const answered = await answerLine(context, line, { batchId, index });
    add(answered);
    yield `${answered.text}\n`;
    if (index % LINES_PER_TURN === LINES_PER_TURN - 1) await turnEnd();
  }
}

function readChunks(request: IncomingMessage): AsyncIterable<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BATCH_BYTES) {
    throw new SimulatedError(413, "Request exceeds the maximum size");
  }
  // An error keeps the connection, for the response.
  return request.iterator({ destroyOnReturn: false });
}

/** `GET /v1/messages/batches`. */
export async function answerBatches(deps: SimulatorDeps, exchange: Exchange): Promise<void> {
  const ids = (await deps.batches.listIds()).map((id) => ({ id }));
  const { data, ...page } = selectByIds(ids, exchange.url.searchParams);
  const found = await Promise.all(data.map(({ id }) => deps.batches.find(id)));
  const nowMs = deps.clock.nowMs();
  const shown = found
    .filter((batch) => batch !== null)
    .map((batch) => toWireBatch(batch, nowMs, resultsUrlOf(exchange, batch.id)));
  sendObject(exchange, { data: shown, ...page });
}

/** `GET /v1/messages/batches/{id}`. */
export async function answerBatch(
  deps: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  sendBatch(deps, exchange, await getBatch(deps.batches, id));
}

/** `POST /v1/messages/batches/{id}/cancel`. */
export async function answerBatchCancellation(
  deps: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  const batch = await getBatch(deps.batches, id);
  const nowMs = deps.clock.nowMs();
  if (nowMs >= timesOf(batch).endMs) {
    throw new SimulatedError(400, `Batch ${id} has already ended and cannot be canceled.`);
  }
  const canceled: BatchRecord = { ...batch, canceledMs: batch.canceledMs ?? nowMs };
  if (batch.canceledMs === null) await deps.batches.put(canceled);
  sendBatch(deps, exchange, canceled);
}

/** `DELETE /v1/messages/batches/{id}`. */
export async function answerBatchDeletion(
  deps: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  const batch = await getBatch(deps.batches, id);
  if (deps.clock.nowMs() < timesOf(batch).endMs) {
    throw new SimulatedError(400, `Batch ${id} is still processing. Cancel it before deletion.`);
  }
  await deps.batches.remove(id);
  sendObject(exchange, { id, type: "message_batch_deleted" });
}

/** `GET /v1/messages/batches/{id}/results`. */
export async function answerBatchResults(
  deps: SimulatorDeps,
  exchange: Exchange,
  id: string,
): Promise<void> {
  const batch = await getBatch(deps.batches, id);
  if (deps.clock.nowMs() < timesOf(batch).endMs) {
    throw new SimulatedError(400, `Batch ${id} is still processing and has no results yet.`);
  }
  const stored = createReadStream(await deps.batches.pathFor(id, "results"));
  exchange.response.writeHead(200, { ...exchange.headers, "content-type": "application/x-jsonl" });
  await pipeline(Readable.from(finishLines(batch, stored)), exchange.response);
}

/** Results of all lines as they ended, in large chunks. */
async function* finishLines(
  batch: BatchRecord,
  stored: Readable,
): AsyncGenerator<string, void, undefined> {
  const outcomes = listOutcomes(batch);
  let chunk = "";
  for await (const line of createInterface({
    input: stored,
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    const outcome = outcomes.next().value ?? "expired";
    const isAnswered = outcome === "succeeded" || outcome === "errored";
    chunk += isAnswered ? `${line}\n` : `${endLine(line, outcome)}\n`;
    if (chunk.length < MAX_CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}

function endLine(line: string, outcome: "canceled" | "expired"): string {
  const { custom_id } = JSON.parse(line) as { custom_id: string };
  return JSON.stringify({ custom_id, result: { type: outcome } });
}

async function getBatch(batches: MessageBatchStore, id: string): Promise<BatchRecord> {
  const batch = await batches.find(id);
  if (batch === null) throw new SimulatedError(404, `Message batch not found: ${id}`);
  return batch;
}

function sendBatch({ clock }: SimulatorDeps, exchange: Exchange, batch: BatchRecord): void {
  sendObject(exchange, toWireBatch(batch, clock.nowMs(), resultsUrlOf(exchange, batch.id)));
}

function resultsUrlOf({ request }: Exchange, id: string): string {
  return `http://${request.headers.host ?? "simulator"}/v1/messages/batches/${id}/results`;
}
