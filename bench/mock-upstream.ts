import { createServer, type Socket } from "node:net";
import { type MessageHead, MessageReader } from "./http-messages.ts";
import { monotonicMs } from "./monotonic.ts";
import { BENCH_MODEL, decodePacing, type StreamPacing } from "./prompts.ts";

// A Claude API on loopback at the lowest cost that Node allows: fixed bytes over raw sockets. run.ts starts it with
// an IPC channel. The process sends `{ port }` once it listens and ends with the channel.

const INPUT_TOKENS = 500;
const ANSWER_TOKENS = 600;
const BACKLOG = 4_096; // 2,000 streams may connect within a few seconds

const WORDS = "The two totals differ by one invoice that was booked in the wrong month. ";
const DELTA_TEXT = "the wrong month ";
const usage = {
  input_tokens: INPUT_TOKENS,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  service_tier: "standard",
};
const message = {
  id: "msg_01BenchBenchBenchBenchBe",
  type: "message",
  role: "assistant",
  model: BENCH_MODEL,
};

interface StreamBytes {
  first: Buffer;
  delta: Buffer;
  last: Buffer;
}

const jsonAnswer = sized(200, {
  ...message,
  // About four characters per token.
  content: [{ type: "text", text: WORDS.repeat(40).slice(0, ANSWER_TOKENS * 4) }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { ...usage, output_tokens: ANSWER_TOKENS },
});
const countAnswer = sized(200, { input_tokens: INPUT_TOKENS });
const modelsAnswer = sized(200, { data: [], has_more: false, first_id: null, last_id: null });
const notFoundAnswer = sized(404, {
  type: "error",
  error: { type: "not_found_error", message: "Not found" },
});
const delta = chunk(
  event("content_block_delta", {
    index: 0,
    delta: { type: "text_delta", text: DELTA_TEXT },
  }),
);
const streams = new Map<number, StreamBytes>();

const server = createServer({ noDelay: true }, serve);
server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, () => {
  const address = server.address();
  if (address && typeof address === "object") process.send?.({ port: address.port });
});
process.on("disconnect", () => process.exit(0));

function serve(socket: Socket): void {
  let startLine = "";
  const body: Buffer[] = [];
  const reader = new MessageReader({
    onHead: (head: MessageHead) => {
      startLine = head.startLine;
    },
    onBody: (piece) => body.push(piece),
    onEnd: () => {
      answer(socket, startLine, body);
      body.length = 0;
    },
  });
  socket.on("data", (piece: Buffer) => {
    try {
      reader.read(piece);
    } catch {
      socket.destroy();
    }
  });
  socket.on("error", () => socket.destroy());
}

function answer(socket: Socket, startLine: string, body: readonly Buffer[]): void {
  const path = startLine.split(" ", 2)[1]?.split("?", 1)[0];
  if (path === "/v1/messages") answerMessage(socket, body);
  else if (path === "/v1/messages/count_tokens") socket.write(countAnswer);
  else if (path === "/v1/models") socket.write(modelsAnswer);
  else socket.write(notFoundAnswer);
}

function answerMessage(socket: Socket, body: readonly Buffer[]): void {
  const [only] = body;
  const whole = body.length === 1 && only ? only : Buffer.concat(body);
  const pacing = decodePacing(whole.toString("latin1"));
  if (pacing) sendStream(socket, pacing);
  else socket.write(jsonAnswer);
}

/** Sends a stream. Ignores backpressure, because a whole stream has a few kilobytes. */
function sendStream(socket: Socket, { deltas, intervalMs }: StreamPacing): void {
  const { first, delta: one, last } = streamBytes(deltas);
  socket.write(first);
  if (intervalMs === 0) {
    for (let i = 0; i < deltas; i++) socket.write(one);
    socket.write(last);
    return;
  }
  // Each delta has its own due time, so that delays of timers do not add up.
  const startMs = monotonicMs();
  let sent = 0;
  const sendNext = () => {
    if (socket.destroyed) return;
    const isLast = sent === deltas;
    socket.write(isLast ? last : one);
    if (isLast) return;
    sent += 1;
    setTimeout(sendNext, Math.max(0, startMs + (sent + 1) * intervalMs - monotonicMs()));
  };
  setTimeout(sendNext, intervalMs);
}

function streamBytes(deltas: number): StreamBytes {
  const known = streams.get(deltas);
  if (known) return known;
  const start = [
    event("message_start", {
      message: {
        ...message,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage, output_tokens: 1 },
      },
    }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    event("ping", {}),
  ];
  const end = [
    event("content_block_stop", { index: 0 }),
    event("message_delta", {
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: deltas * 4 },
    }),
    event("message_stop", {}),
  ];
  const head = responseHead(200, "text/event-stream; charset=utf-8", [
    "cache-control: no-cache",
    "transfer-encoding: chunked",
  ]);
  const made = {
    first: Buffer.concat([head, chunk(start.join(""))]),
    delta,
    last: Buffer.concat([chunk(end.join("")), Buffer.from("0\r\n\r\n")]),
  };
  streams.set(deltas, made);
  return made;
}

function event(name: string, fields: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...fields })}\n\n`;
}

function chunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

function sized(status: number, body: object): Buffer {
  const text = JSON.stringify(body);
  const length = `content-length: ${Buffer.byteLength(text)}`;
  return Buffer.concat([responseHead(status, "application/json", [length]), Buffer.from(text)]);
}

/** Headers of the real upstream, which a proxy must read and filter. */
function responseHead(status: number, contentType: string, more: readonly string[]): Buffer {
  const lines = [
    `HTTP/1.1 ${status} ${status === 200 ? "OK" : "Not Found"}`,
    `content-type: ${contentType}`,
    "request-id: req_011BenchBenchBenchBench",
    "anthropic-organization-id: 00000000-0000-4000-8000-000000000000",
    "anthropic-ratelimit-requests-limit: 4000",
    "anthropic-ratelimit-requests-remaining: 3999",
    "anthropic-ratelimit-requests-reset: 2030-01-01T00:00:00Z",
    "anthropic-ratelimit-input-tokens-limit: 2000000",
    "anthropic-ratelimit-input-tokens-remaining: 1999000",
    "strict-transport-security: max-age=31536000; includeSubDomains; preload",
    ...more,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}
