import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";

// A Claude API on loopback that a test controls for each request: answers, streams, stalls, resets, false usage. The
// upstream records received bytes and headers, so that a test can compare them.

export interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
  bodySha256: string;
}

/** One request at the fake upstream, and the test's actions on it. */
export interface Exchange {
  received: Received;
  response: ServerResponse;
  socket: Socket;
  /** Settles when the connection closes or the response has been sent. */
  closed: Promise<void>;
  /** True when the gateway cut the connection before the response ended. */
  isCut(): boolean;
  json(body: unknown, options?: { status?: number; headers?: Record<string, string> }): void;
  /** Starts an event stream and sends the headers only. */
  startStream(headers?: Record<string, string>): void;
  /** Sends the text. Resolves once the text has left this process. */
  write(text: string | Buffer): Promise<void>;
  /** Sends the events in order, then ends. */
  stream(events: readonly string[]): Promise<void>;
  end(): void;
  /** Resets the connection (RST). */
  reset(): void;
}

export type Script = (exchange: Exchange) => void | Promise<void>;

export interface FakeUpstream {
  origin: string;
  received: Received[];
  /** Handles the next requests, until replaced. */
  script: Script;
  /** Resolves with the next exchange that begins. */
  nextExchange(): Promise<Exchange>;
  close(): Promise<void>;
}

/** Starts on a port of loopback. 0: a free one. The default script answers like `messageJson()`. */
export async function startFakeUpstream(at = 0): Promise<FakeUpstream> {
  const waiting: ((exchange: Exchange) => void)[] = [];
  // Idle connections stay open. A connection that closes while a request arrives would lose the request.
  const options = { keepAlive: true, keepAliveTimeout: 0, requestTimeout: 0 };
  const server = createServer(options, (request, response) => {
    void serve(request, response);
  });
  server.listen(at, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const upstream: FakeUpstream = {
    origin: `http://127.0.0.1:${port}`,
    received: [],
    script: (exchange) => exchange.json(messageJson()),
    nextExchange: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await receive(request);
    if (!received) return;
    upstream.received.push(received);
    const exchange = makeExchange(received, request, response);
    waiting.shift()?.(exchange);
    await upstream.script(exchange);
  }

  return upstream;
}

async function receive(request: IncomingMessage): Promise<Received | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return null;
  }
  const body = Buffer.concat(chunks);
  return {
    method: request.method ?? "",
    url: request.url ?? "",
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body,
    bodySha256: sha256(body),
  };
}

function makeExchange(
  received: Received,
  request: IncomingMessage,
  response: ServerResponse,
): Exchange {
  const { socket } = request;
  const closed = once(response, "close").then(() => undefined);
  const exchange: Exchange = {
    received,
    response,
    socket,
    closed,
    isCut: () => response.destroyed && !response.writableFinished,
    json(body, options = {}) {
      const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
      response.writeHead(options.status ?? 200, {
        "content-type": "application/json",
        "content-length": bytes.length,
        "request-id": "req_upstream",
        ...options.headers,
      });
      response.end(bytes);
    },
    startStream(headers = {}) {
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "request-id": "req_upstream",
        ...headers,
      });
      response.flushHeaders();
    },
    write: (text) =>
      new Promise((resolve) => {
        response.write(text, () => resolve());
      }),
    async stream(events) {
      exchange.startStream();
      for (const event of events) {
        if (!response.write(event)) await Promise.race([once(response, "drain"), closed]);
      }
      response.end();
    },
    end: () => void response.end(),
    reset: () => void socket.resetAndDestroy(),
  };
  return exchange;
}

export function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export const defaultUsage = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 5,
  server_tool_use: null,
  service_tier: "standard",
};

/** A complete message as the Claude API answers it. */
export function messageJson(options: { usage?: object; text?: string; model?: string } = {}) {
  return {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: options.model ?? "claude-sonnet-4-5-20250929",
    content: [{ type: "text", text: options.text ?? "Hello" }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { ...defaultUsage, ...options.usage },
  };
}

/** The text of one server-sent event. */
export function sse(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
}

/** `message_start` with this usage over the default one. Its 1 output token is a placeholder. */
export function messageStart(usage: object = {}): string {
  const message = {
    ...messageJson({ usage: { output_tokens: 1, ...usage } }),
    content: [],
    stop_reason: null,
  };
  return sse("message_start", { message });
}

export function textDelta(text: string): string {
  return sse("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
}

export const blockStart = sse("content_block_start", {
  index: 0,
  content_block: { type: "text", text: "" },
});

/** `message_delta` and `message_stop` with the final usage. */
export function messageEnd(usage: object = { output_tokens: 5 }): string[] {
  return [
    sse("content_block_stop", { index: 0 }),
    sse("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage }),
    sse("message_stop", {}),
  ];
}

/** A complete stream whose text has `deltas` events. */
export function messageEvents(deltas = 3, usage: object = { output_tokens: 5 }): string[] {
  const texts = Array.from({ length: deltas }, (_, i) => textDelta(`word ${i} `));
  return [messageStart(), blockStart, sse("ping", {}), ...texts, ...messageEnd(usage)];
}

/** Sends a compressed response that the client did not accept. */
export function gzipJson(exchange: Exchange, body: unknown): void {
  const bytes = gzipSync(JSON.stringify(body));
  exchange.response.writeHead(200, {
    "content-type": "application/json",
    "content-encoding": "gzip",
    "content-length": bytes.length,
  });
  exchange.response.end(bytes);
}
