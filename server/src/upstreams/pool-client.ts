import { Readable } from "node:stream";
import { type buildConnector, Pool } from "undici";
import type { HttpCallHandler, HttpClient, HttpRequest } from "#src/lib/http-client.ts";
import { CONNECT_TIMEOUT_MS, KEEP_ALIVE_MAX_MS, KEEP_ALIVE_MS } from "./upstream.ts";

/** A larger body is sent as a stream, which frees its memory after it is sent. A smaller one is faster as a buffer. */
const LARGE_BODY_BYTES = 64 * 1024;

interface PoolClientOptions {
  origin: string;
  /** Maximum silence before the response's headers and between its bytes, milliseconds. */
  idleTimeoutMs: number;
  /** Replaces the connection to the origin. */
  connect?: buildConnector.connector | buildConnector.BuildOptions;
}

/**
 * Creates a client over undici's pool, with one request per connection. So a stalled stream delays no other request, and an
 * abort ends one request only.
 */
export function makePoolClient({ origin, idleTimeoutMs, connect }: PoolClientOptions): HttpClient {
  const pool = new Pool(origin, {
    // Unlimited, because the gateway bounds running requests. Time in a queue here would count as silence.
    connections: null,
    pipelining: 1,
    allowH2: false,
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    ...(connect === undefined ? {} : { connect }),
  });
  return {
    send: (request, handler) => dispatch(pool, request, handler),
    get isClosed() {
      return pool.closed || pool.destroyed;
    },
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}

function dispatch(pool: Pool, request: HttpRequest, handler: HttpCallHandler): void {
  const { method, path, headers, body, headersTimeoutMs } = request;
  const isLarge = body !== null && body.length > LARGE_BODY_BYTES;
  if (isLarge) headers.push("content-length", String(body.length));
  pool.dispatch(
    {
      path,
      method,
      headers,
      body: isLarge ? streamBody(body) : body,
      ...(headersTimeoutMs !== null && { headersTimeout: headersTimeoutMs }),
    },
    handler,
  );
}

/**
 * Returns a body as a stream. undici keeps a buffer in memory until the response has ended, which can take minutes. A stream
 * frees the body when it is sent.
 */
function streamBody(body: Buffer): Readable {
  const source = new Readable({ read: ignore });
  // undici destroys the stream with the error that the handler gets too.
  source.on("error", ignore);
  source.push(body);
  source.push(null);
  return source;
}

function ignore(): void {}
