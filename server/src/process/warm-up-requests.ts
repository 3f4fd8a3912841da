import type { Clock } from "#src/lib/clock.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { type HttpClient, type HttpRequest, requestWhole } from "#src/lib/http-client.ts";

// The requests of a warm-up, sent over several connections. Their bodies and headers have the form that official
// SDKs send.

/** Secrets of keys: without limits, under a strict limit, under a limit of zero, and without a key. */
export interface WarmUpKeys {
  unlimited: string;
  limited: string;
  spent: string;
  unknown: string;
}

export interface WarmUpRequestsOptions {
  /** Client of the gateway. */
  client: HttpClient;
  keys: WarmUpKeys;
  maxRequests: number;
  /** Time after which no request starts, monotonic milliseconds. */
  endAtMs: number;
  clock: Clock;
  /** Ends all requests. */
  signal: AbortSignal;
}

interface Call {
  request: HttpRequest;
  /** Expected status. */
  status: number;
}

const CONNECTIONS = 8;
const PROMPT_CHARS = 1_200;
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** Sends requests one after another on each connection. Returns their number. Rejects if a response is not as expected. */
export async function sendWarmUpRequests(options: WarmUpRequestsOptions): Promise<number> {
  const { client, maxRequests, endAtMs, clock, signal } = options;
  const calls = makeCalls(options.keys);
  const bounds = { maxBytes: MAX_RESPONSE_BYTES, signal };
  let started = 0;
  let answered = 0;
  async function sendAll(): Promise<void> {
    while (started < maxRequests && clock.monotonicMs() < endAtMs) {
      const call = calls[started % calls.length];
      if (call === undefined) return;
      started += 1;
      const { status } = await requestWhole(client, call.request, bounds);
      if (status !== call.status) throw new Error(`${status} instead of ${call.status}`);
      answered += 1;
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, sendAll));
  return answered;
}

/** Makes a round of requests. JSON and streams are as frequent as in use, and the others are rare. */
function makeCalls(keys: WarmUpKeys): Call[] {
  const model = "claude-sonnet-5";
  const json = (secret: string) => makeCall(secret, { model }, 200);
  const stream = (secret: string) => makeCall(secret, { model, stream: true }, 200);
  const error = makeCall(keys.unlimited, { model: "simulate-error-400" }, 400);
  const { unlimited, limited } = keys;
  return [
    json(unlimited),
    stream(unlimited),
    json(limited),
    json(unlimited),
    stream(limited),
    json(limited),
    error,
    json(unlimited),
    stream(unlimited),
    json(limited),
    json(unlimited),
    makeCall(keys.spent, { model }, 400),
    json(limited),
    stream(limited),
    json(unlimited),
    makeCall(keys.unknown, { model }, 401),
  ];
}

function makeCall(secret: string, fields: object, status: number): Call {
  const text = "Compare the ledger with the report, line by line. ".repeat(PROMPT_CHARS / 50);
  const body = JSON.stringify({
    max_tokens: 32,
    messages: [{ role: "user", content: text }],
    ...fields,
  });
  const request: HttpRequest = {
    method: "POST",
    path: "/v1/messages",
    headers: FieldLines.fromList([
      ...["accept", "application/json"],
      ...["content-type", "application/json"],
      ...["user-agent", "Anthropic/JS 1.14.0"],
      ...["anthropic-version", "2023-06-01"],
      ...["x-stainless-lang", "js"],
      ...["x-stainless-runtime", "node"],
      ...["x-api-key", secret],
    ]),
    body: Buffer.from(body),
    headersTimeoutMs: null,
  };
  return { request, status };
}
