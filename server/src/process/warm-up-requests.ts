import { connect, type Socket } from "node:net";
import type { Clock } from "#src/lib/clock.ts";

// The requests of a warm-up, sent over sockets by several connections. Their bodies and headers have the form that official
// SDKs send.

/** Secrets of keys: without limits, under a strict limit, under a limit of zero, and without a key. */
export interface WarmUpKeys {
  unlimited: string;
  limited: string;
  spent: string;
  unknown: string;
}

export interface WarmUpRequestsOptions {
  /** Socket of the gateway. */
  socketPath: string;
  keys: WarmUpKeys;
  maxRequests: number;
  /** Time after which no request starts, monotonic milliseconds. */
  endAtMs: number;
  clock: Clock;
  /** Ends all connections. */
  signal: AbortSignal;
}

interface Call {
  bytes: Buffer;
  /** Expected status. */
  status: number;
}

const CONNECTIONS = 8;
const PROMPT_CHARS = 1_200;
const STATUS = /^HTTP\/1\.1 (\d{3})/;
const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

/** Sends requests one after another on each connection. Returns their number. Rejects if a response is not as expected. */
export async function sendWarmUpRequests(options: WarmUpRequestsOptions): Promise<number> {
  const { maxRequests, endAtMs, clock } = options;
  const calls = makeCalls(options.keys);
  let started = 0;
  let answered = 0;
  async function sendAll(): Promise<void> {
    let socket: Socket | null = null;
    while (started < maxRequests && clock.monotonicMs() < endAtMs) {
      const call = calls[started % calls.length];
      if (call === undefined) return;
      started += 1;
      if (socket === null || socket.destroyed) socket = openSocket(options);
      await exchange(socket, call);
      answered += 1;
    }
    socket?.destroy();
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, sendAll));
  return answered;
}

function openSocket({ socketPath, signal }: WarmUpRequestsOptions): Socket {
  const socket = connect({ path: socketPath, signal });
  socket.setEncoding("latin1");
  return socket;
}

/** Sends one request and waits for its whole response. Closes the connection if the response ends it. */
function exchange(socket: Socket, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    const finish = (error: Error | null) => {
      socket.removeAllListeners();
      if (error !== null || /^connection: close\r$/im.test(text)) socket.destroy();
      // A late error of the socket has no effect.
      socket.on("error", () => undefined);
      if (error === null) resolve();
      else reject(error);
    };
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (!isWhole(text)) return;
      const status = Number(STATUS.exec(text)?.[1]);
      finish(status === call.status ? null : new Error(`${status} instead of ${call.status}`));
    });
    socket.on("error", finish);
    socket.on("close", () => finish(new Error("the gateway closed the connection")));
    socket.write(call.bytes);
  });
}

/** True for the text of a whole response. */
function isWhole(text: string): boolean {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, headEnd))?.[1];
  if (length === undefined) return text.endsWith(LAST_CHUNK);
  return text.length >= headEnd + HEAD_END.length + Number(length);
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
  const lines = [
    "POST /v1/messages HTTP/1.1",
    "host: localhost",
    "accept: application/json",
    "content-type: application/json",
    "user-agent: Anthropic/JS 1.14.0",
    "anthropic-version: 2023-06-01",
    "x-stainless-lang: js",
    "x-stainless-runtime: node",
    `x-api-key: ${secret}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return { bytes: Buffer.from(`${lines.join("\r\n")}${HEAD_END}${body}`), status };
}
