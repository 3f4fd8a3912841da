import { Readable } from "node:stream";
import { buildConnector, type Dispatcher, Pool } from "undici";
import { openTunnel } from "#src/http1/open-tunnel.ts";
import { type ConnectorOptions, toAuthority } from "#src/http1/upstream-connector.ts";
import { UpstreamError } from "#src/http1/upstream-error.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import type {
  HttpCallHandler,
  HttpClient,
  HttpRequest,
  StreamedClient,
  StreamedRequest,
} from "#src/lib/http-client.ts";

/** A larger body is sent as a stream, which frees its memory after it is sent. A smaller one is faster as a buffer. */
const LARGE_BODY_BYTES = 64 * 1024;

/** Time between two attempts while the queue of a local socket is full, milliseconds. */
const RETRY_MS = 10;

interface PoolClientOptions extends ConnectorOptions {
  /** Maximum silence before the response's headers and between its bytes, milliseconds. */
  idleTimeoutMs: number;
  /** Longest time for which an idle connection is kept, milliseconds. */
  keepAliveMs: number;
  /** Longest time if the upstream's `keep-alive` header allows more, milliseconds. */
  keepAliveMaxMs: number;
}

/**
 * Creates a client over undici's pool, with one request per connection. So a stalled stream delays no other request, and an
 * abort ends one request only.
 */
export function makePoolClient(options: PoolClientOptions): HttpClient {
  return makeClientOf(makePool(options), dispatch);
}

/** Creates a client whose bodies can be streams. Opens no connection before its first request. */
export function makeStreamedClient(options: PoolClientOptions): StreamedClient {
  return makeClientOf(makePool(options), dispatchStream);
}

function makeClientOf<Request>(
  pool: Pool,
  send: (pool: Pool, request: Request, handler: HttpCallHandler) => void,
) {
  return {
    send: (request: Request, handler: HttpCallHandler) => send(pool, request, handler),
    get isClosed() {
      return pool.closed || pool.destroyed;
    },
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}

function makePool(options: PoolClientOptions): Pool {
  const { address, idleTimeoutMs, connectTimeoutMs, ca, lookup } = options;
  const isOrigin = "origin" in address;
  return new Pool(isOrigin ? address.origin : "http://localhost", {
    // Unlimited, because the gateway bounds running requests. Time in a queue here would count as silence.
    connections: null,
    pipelining: 1,
    allowH2: false,
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connectTimeout: connectTimeoutMs,
    keepAliveTimeout: options.keepAliveMs,
    keepAliveMaxTimeout: options.keepAliveMaxMs,
    connect: isOrigin
      ? (makeTunnelConnector(address.origin, options) ?? {
          ...(ca !== undefined && { ca }),
          ...(lookup !== undefined && { lookup }),
        })
      : makeLocalConnector(address.socketPath, options),
  });
}

function dispatch(pool: Pool, request: HttpRequest, handler: HttpCallHandler): void {
  const { method, path, body, headersTimeoutMs } = request;
  const headers = request.headers.toList();
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
    new PoolHandler(handler),
  );
}

function dispatchStream(pool: Pool, request: StreamedRequest, handler: HttpCallHandler): void {
  const { method, path, body, bodyBytes, headersTimeoutMs } = request;
  const headers = request.headers.toList();
  if (bodyBytes !== null) headers.push("content-length", String(bodyBytes));
  pool.dispatch(
    {
      path,
      method,
      headers,
      body,
      ...(headersTimeoutMs !== null && { headersTimeout: headersTimeoutMs }),
    },
    new PoolHandler(handler),
  );
}

/** Passes the events of undici to a handler, with the fields as they came. */
class PoolHandler {
  readonly #handler: HttpCallHandler;

  constructor(handler: HttpCallHandler) {
    this.#handler = handler;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#handler.onRequestStart(controller);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.#handler.onResponseStart(controller, status, readFields(controller.rawHeaders));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData(controller, chunk);
  }

  onResponseEnd(): void {
    this.#handler.onResponseEnd();
  }

  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#handler.onResponseError(controller, error);
  }
}

/** undici has the bytes of names and values in turn, with spaces at the end of a value. */
function readFields(rawHeaders: unknown): HeaderFields {
  const texts = Array.isArray(rawHeaders) ? rawHeaders : [];
  return HeaderFields.fromList(
    texts.map((text: Buffer | string) =>
      (typeof text === "string" ? text : text.toString("latin1")).replace(/[ \t]+$/, ""),
    ),
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

/** Makes a connector through the proxy of an origin. Null: the origin has none. */
function makeTunnelConnector(
  origin: string,
  { proxy, ca, connectTimeoutMs }: ConnectorOptions,
): buildConnector.connector | null {
  const authority = toAuthority(origin);
  if (proxy === undefined || authority === null) return null;
  const connect = buildConnector({ timeout: connectTimeoutMs, ...(ca !== undefined && { ca }) });
  return (options, callback) => {
    const timer = setTimeout(() => {
      const error = new UpstreamError("UND_ERR_CONNECT_TIMEOUT", "the proxy was silent");
      opening.destroy(error);
    }, connectTimeoutMs);
    const opening = openTunnel(proxy, authority, (result) => {
      clearTimeout(timer);
      if (result instanceof Error) callback(result, null);
      else connect({ ...options, httpSocket: result }, callback);
    });
  };
}

/**
 * Opens a limited number of connections at once, and retries on EAGAIN: the queue of the socket is full and nothing was
 * sent. The simulator runs in this process, so it cannot accept connections while a burst of requests opens them. Each
 * attempt has the timeout of undici, which a busy event loop does not cause. The connector of `http1/` has a stricter one.
 */
function makeLocalConnector(
  socketPath: string,
  { connectTimeoutMs, maxOpening }: ConnectorOptions,
): buildConnector.connector {
  const connect = buildConnector({ socketPath, timeout: connectTimeoutMs });
  const limit = maxOpening ?? Number.POSITIVE_INFINITY;
  const waiting: (() => void)[] = [];
  let opening = 0;

  function tryToConnect(
    options: buildConnector.Options,
    callback: buildConnector.Callback,
    retriesLeft: number,
  ): void {
    connect(options, (...result) => {
      const isQueueFull = (result[0] as NodeJS.ErrnoException | null)?.code === "EAGAIN";
      if (isQueueFull && retriesLeft > 0) {
        setTimeout(tryToConnect, RETRY_MS, options, callback, retriesLeft - 1);
        return;
      }
      opening -= 1;
      waiting.shift()?.();
      callback(...result);
    });
  }

  return (options, callback) => {
    const open = () => {
      opening += 1;
      tryToConnect(options, callback, connectTimeoutMs / RETRY_MS);
    };
    if (opening < limit) open();
    else waiting.push(open);
  };
}

function ignore(): void {}
