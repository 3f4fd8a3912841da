import { appendFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { join } from "node:path";
import { makePromptCache } from "../../server/src/simulator/prompt-cache.ts";
import { readBody } from "../../server/src/simulator/read-body.ts";
import { makeHeaders } from "../../server/src/simulator/response-headers.ts";
import { errorBody, SimulatedError } from "../../server/src/simulator/simulated-error.ts";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import { monotonicMs } from "../monotonic.ts";
import { isPriced } from "./bill.ts";
import { type BilledRequest, billUntil, toWireBill } from "./billed-request.ts";
import {
  type AnswerRequest,
  between,
  type PlannedAnswer,
  planAnswer,
  type Range,
  type SearchKind,
  toMessage,
} from "./plan-answer.ts";
import { countPrompt, readMessage } from "./read-request.ts";

// A stand-in for the Claude API that bills exactly, as a separate process. Tokens are generated at the speed of the real
// models, whether the client reads or not. After the client has left, generation continues for a moment. `agents.ts` starts
// the process with an IPC channel: it sends `{ port }` once it listens, and its bills when asked.

export interface StandInOptions {
  seed: number;
  port: number;
  tokensPerSecond: Range;
  firstTokenMs: Range;
  searches: SearchKind;
  /** Generation after the client has left. */
  afterLeavingMs: Range;
  /** Length of every answer. Null: as an agent needs it. */
  fixedTokens: number | null;
  /** Folder for bodies and headers of all requests. Null: they are not kept. */
  recordFolder: string | null;
}

export type StandInQuestion = { bills: true };

/** Interval in which due events are sent. */
const TICK_MS = 25;
const BACKLOG = 1_024;
const MAX_PREFIXES = 100_000;
const KEEP_ALIVE_MS = 15 * 60_000;
const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
};

interface Running {
  billed: BilledRequest;
  request: AnswerRequest;
  answer: PlannedAnswer;
  response: ServerResponse;
  /** Number of moments that are over. */
  next: number;
  /** Time at which generation stops because the client has left. */
  stopAtMs: number;
}

const options = JSON.parse(process.argv[2] ?? "{}") as StandInOptions;
const random = seededRandom(options.seed);
const cache = makePromptCache(MAX_PREFIXES);
const bills: BilledRequest[] = [];
const running = new Set<Running>();
let received = 0;

const server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
server.on("request", (request, response) => void handle(request, response));
server.listen({ host: "127.0.0.1", port: options.port, backlog: BACKLOG }, () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.send?.({ port: address.port });
});
setInterval(sendDue, TICK_MS);
process.on("disconnect", () => process.exit(0));
process.on("message", (question: StandInQuestion) => {
  if (question.bills) process.send?.(bills.map(toWireBill));
});

async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  received += 1;
  const requestId = `req_${String(options.seed).padStart(6, "0")}${String(received).padStart(12, "0")}`;
  const headers = makeHeaders(requestId, Date.now());
  const receivedAtMs = monotonicMs();
  try {
    const path = new URL(incoming.url ?? "/", "http://stand-in").pathname;
    const body = await readBody(incoming);
    if (body === null) return;
    if (options.recordFolder !== null) record(options.recordFolder, incoming, body);
    if (path === "/v1/messages")
      answerMessage(response, { body, requestId, headers, receivedAtMs });
    else if (path === "/v1/messages/count_tokens") {
      sendJson(response, headers, { input_tokens: countPrompt(body) });
    } else if (path === "/v1/models") {
      sendJson(response, headers, { data: [], has_more: false, first_id: null, last_id: null });
    } else if (path === "/api/hello") response.writeHead(200, headers).end();
    else throw new SimulatedError(404, "Not found");
  } catch (error) {
    const refusal =
      error instanceof SimulatedError ? error : new SimulatedError(500, String(error));
    const text = errorBody(refusal, requestId);
    response
      .writeHead(refusal.status, { ...headers, "content-type": "application/json" })
      .end(text);
  }
}

interface Arrived {
  body: Buffer;
  requestId: string;
  headers: Record<string, string>;
  receivedAtMs: number;
}

function answerMessage(response: ServerResponse, arrived: Arrived): void {
  const { body, requestId, headers, receivedAtMs } = arrived;
  const messageId = `msg_${requestId.slice("req_".length)}`;
  const { fixedTokens } = options;
  const context = { messageId, cache, nowMs: Date.now(), fixedTokens };
  const { answer: request, isStream, session } = readMessage(body, context);
  if (!isPriced(request.model)) throw new SimulatedError(404, `model: ${request.model}`);
  const answer = planAnswer(request, { ...options, random });
  const billed: BilledRequest = {
    ...{ messageId, requestId, session, model: request.model, isStream, receivedAtMs },
    bodyBytes: body.length,
    ...{ firstByteAtMs: null, endedAtMs: null, leftAtMs: null, nanoUsdWhenLeft: null },
    nanoUsd: billUntil(request.model, answer, null),
    ...{ outputTokens: 0, calls: 1, searches: 0 },
  };
  bills.push(billed);
  const one = { billed, request, answer, response, next: 0, stopAtMs: Number.POSITIVE_INFINITY };
  running.add(one);
  response.on("close", () => leave(one));
  if (!isStream) return;
  // The API sends them together with the first event.
  for (const [name, value] of Object.entries({ ...headers, ...STREAM_HEADERS })) {
    response.setHeader(name, value);
  }
}

/** Lets generation continue for a moment after the client has left. */
function leave(one: Running): void {
  const { billed } = one;
  if (billed.endedAtMs !== null || billed.leftAtMs !== null) return;
  advance(one, monotonicMs());
  if (billed.endedAtMs !== null) return;
  billed.leftAtMs = monotonicMs();
  billed.nanoUsdWhenLeft = billed.nanoUsd;
  one.stopAtMs = billed.leftAtMs + between(options.afterLeavingMs, random);
}

function sendDue(): void {
  const nowMs = monotonicMs();
  for (const one of running) advance(one, nowMs);
}

/** Sends and bills what is due. Ends the response after its last moment. */
function advance(one: Running, nowMs: number): void {
  const { billed, answer, response } = one;
  const { moments } = answer;
  const untilMs = Math.min(nowMs, one.stopAtMs) - billed.receivedAtMs;
  const from = one.next;
  while ((moments[one.next]?.atMs ?? Number.POSITIVE_INFINITY) <= untilMs) one.next += 1;
  if (one.next > from) {
    const moment = moments[one.next - 1] ?? null;
    billed.nanoUsd = billUntil(billed.model, answer, moment);
    billed.outputTokens = moment?.outputTokens ?? 0;
    billed.calls = moment?.calls ?? 1;
    billed.searches = moment?.searches ?? 0;
    billed.firstByteAtMs ??= nowMs;
    const text = moments.slice(from, one.next).reduce((all, each) => all + each.text, "");
    if (billed.isStream && billed.leftAtMs === null && text !== "") response.write(text);
  }
  if (one.next === moments.length) finish(one, nowMs);
  else if (nowMs >= one.stopAtMs) end(one, nowMs);
}

function finish(one: Running, nowMs: number): void {
  const { billed, request, answer, response } = one;
  end(one, nowMs);
  if (billed.leftAtMs !== null) return;
  if (billed.isStream) response.end();
  else sendJson(response, makeHeaders(billed.requestId, Date.now()), toMessage(request, answer));
}

function end(one: Running, nowMs: number): void {
  one.billed.endedAtMs = nowMs;
  running.delete(one);
}

function sendJson(response: ServerResponse, headers: Record<string, string>, body: object): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  const own = { "content-type": "application/json", "content-length": length };
  response.writeHead(200, { ...headers, ...own }).end(text);
}

/** Keeps a request, to compare the bodies of `agent-body.ts` with those of the real client. */
function record(folder: string, { method, url, rawHeaders }: IncomingMessage, body: Buffer): void {
  const line = JSON.stringify({ number: received, method, url, rawHeaders, bytes: body.length });
  appendFileSync(join(folder, "requests.jsonl"), `${line}\n`);
  writeFileSync(join(folder, `${received}.json`), body);
}
