import { once } from "node:events";
import { rmSync } from "node:fs";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createPlainServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import { createServer as createTlsFront } from "node:tls";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { toErrorBody } from "#src/domain/error-body.ts";
import { KEEP_ALIVE_SECONDS } from "#src/http1/client-call.ts";
import type { ConnectionDeps } from "#src/http1/client-connection.ts";
import { type ClientConnections, makeClientConnections } from "#src/http1/client-connections.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";
import { createServer, ServerResponse, STATUS_CODES } from "#src/lib/node-http.ts";
import { readOpenFileLimit } from "#src/lib/open-file-limit.ts";
import { StartError } from "#src/lib/start-error.ts";
import { makeFramingGuard } from "./guard-framing.ts";
import { limitConnections } from "./limit-connections.ts";

export interface ServeOptions {
  /** PEM texts. Null: plain HTTP. */
  tls: { cert: string; key: string } | null;
  onRequest: RequestListener;
  /** Handles a request whose client waits for 100 Continue before it sends the body. */
  onCheckContinue: RequestListener;
  /** Reads the usual requests of the Claude API from sockets. Null: node:http reads every request. */
  sockets?: Pick<ConnectionDeps, "turnEnd" | "handles" | "handle"> | null;
}

export interface ListenOptions extends ServeOptions {
  host: string;
  port: number;
}

export interface Listener {
  /** `http://127.0.0.1:8484`, without a slash at its end. */
  url: string;
  /**
   * Accepts no new connection and resolves after the last one is closed. Idle connections are closed as they become
   * idle. Connections that are still open a moment after `drained` are cut: silent ones, partial requests, slow Admin
   * calls.
   */
  close(drained: Promise<void>): Promise<void>;
}

const MAX_PORT = 65_535;
/** Port that messages suggest. */
const DEFAULT_PORT = 8484;
const IDLE_SWEEP_MS = 100;
/**
 * Connections that the kernel keeps until the process accepts them. Beyond Node's 511, the kernel reset 249 of 5,000
 * connections that opened at once.
 */
const BACKLOG = 4_096;
/** Open files that are no connections of clients or to the upstream. */
const RESERVED_FILES = 512;
/** Part of the other files that connections of clients can have. */
const CONNECTIONS_PART = 3 / 4;
const MIN_CONNECTIONS = 64;
/** An idle connection takes some KB. */
const MAX_CONNECTIONS = 40_000;
/** An Admin call takes milliseconds. Connections that browsers open in advance send nothing. */
const GRACE_MS = 1_000;

/** Opens the one listener of both APIs. Throws a StartError if the address is in use or not permitted. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const served = makeServer(options);
  await startListening(served.front, { host: options.host, port: options.port });
  const { address, family, port } = served.front.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;
  return {
    url: `${options.tls ? "https" : "http"}://${host}:${port}`,
    close: (drained) => closeGracefully(served, drained),
  };
}

/** Replaces "all addresses", which a browser cannot open, by localhost. */
export function makeBrowserUrl(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:|$)/, "//localhost");
}

/** Listener without a port, for connections from distribute-connections.ts. */
export interface Acceptor extends Pick<Listener, "close"> {
  accept(connection: Socket): void;
}

export function acceptConnections(options: ServeOptions): Acceptor {
  const served = makeServer(options);
  if (served.front === served.http) trackWithoutPort(served.http);
  return {
    accept: (connection) => {
      // Node does this for connections that a server accepts itself.
      connection.setNoDelay(true);
      served.front.emit("connection", connection);
      connection.resume();
    },
    close: (drained) => closeGracefully(served, drained),
  };
}

interface ServedConnections {
  /** Accepts connections. */
  front: NetServer;
  /** node:http, which is the front if no other server reads requests. */
  http: Server;
  /** Connections whose requests are read from sockets. */
  own: ClientConnections | null;
  /** All open sockets, also below TLS. */
  connections: ReadonlySet<Socket>;
}

function makeServer(options: ServeOptions): ServedConnections {
  const { tls, sockets = null } = options;
  const guard = makeFramingGuard();
  const onRequest = guard(options.onRequest);
  const http =
    tls !== null && sockets === null ? createTlsServer(tls, onRequest) : createServer(onRequest);
  http.keepAliveTimeout = KEEP_ALIVE_SECONDS * 1_000;
  http.on("checkContinue", guard(options.onCheckContinue));
  http.on("clientError", refuseBrokenRequest);
  const maxConnections = findMaxConnections(readOpenFileLimit());
  if (sockets === null) {
    limitConnections(http, tls === null ? "connection" : "secureConnection", maxConnections);
    return { front: http, http, own: null, connections: trackConnections(http) };
  }
  const own = makeClientConnections({
    ...sockets,
    maxConnections,
    handOver: (socket) => http.emit("connection", socket),
    formatRefusal: (code) => formatRefusal(toRefusal(code)),
  });
  const front = makeFront(tls, own);
  trackWithoutPort(http);
  return { front, http, own, connections: trackConnections(front) };
}

/** Leaves files for connections to the upstream and the database, and for the journal. */
function findMaxConnections(openFileLimit: number): number {
  const connections = Math.floor((openFileLimit - RESERVED_FILES) * CONNECTIONS_PART);
  return Math.min(MAX_CONNECTIONS, Math.max(MIN_CONNECTIONS, connections));
}

/** Makes node:http check time limits and idle connections, which begins with this event, also without a port. */
function trackWithoutPort(server: Server): void {
  server.emit("listening");
}

/** Makes a server that accepts connections with the options of node:http and node:https. */
function makeFront(tls: ServeOptions["tls"], own: ClientConnections): NetServer {
  if (tls === null) {
    return createPlainServer({ allowHalfOpen: true, noDelay: true }, own.accept);
  }
  const front = createTlsFront({ ...tls, noDelay: true, ALPNProtocols: ["http/1.1"] }, own.accept);
  front.on("tlsClientError", (_error, socket) => void socket.destroy());
  return front;
}

export interface LocalListener {
  /** User id at the other end, or null for a socket of another listener. */
  operatorUid(socket: Socket): string | null;
  /** Gives running calls a moment to end. */
  close(): Promise<void>;
}

/**
 * Opens the admin socket. Every user that can open it acts as the local operator. Its mode is 0600, so that is the user
 * of the server, or root. The caller holds the lock of the data folder, so an existing socket file is stale and is
 * removed.
 */
export async function listenLocally(
  socketPath: string,
  onRequest: RequestListener,
): Promise<LocalListener> {
  const sockets = new WeakSet<Socket>();
  const uid = String(process.getuid?.() ?? "unknown");
  const server = createServer(makeFramingGuard()(onRequest));
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("clientError", refuseBrokenRequest);
  const connections = trackConnections(server);
  const served = { front: server, http: server, own: null, connections };
  if (process.platform !== "win32") rmSync(socketPath, { force: true });
  // The umask applies while the file is created. With a later chmod other users could connect for a moment.
  const mask = process.umask(0o177);
  try {
    await startListening(server, { path: socketPath });
  } finally {
    process.umask(mask);
  }
  return {
    operatorUid: (socket) => (sockets.has(socket) ? uid : null),
    close: () => closeGracefully(served, Promise.resolve()),
  };
}

/** Checks that the address is free. Throws a StartError if it is in use or not permitted. */
export async function checkAddress(target: { host: string; port: number }): Promise<void> {
  const server = createPlainServer();
  await startListening(server, target);
  server.close();
  await once(server, "close");
}

/** Starts to listen. Throws a StartError if the address is in use or not permitted. */
export function startListening(
  server: NetServer,
  target: { host: string; port: number } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(explainListenError(error, target)),
    );
    server.listen({ ...target, backlog: BACKLOG }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function explainListenError(
  error: NodeJS.ErrnoException,
  target: { host: string; port: number } | { path: string },
): Error {
  if ("path" in target) {
    return new StartError(`Cannot open the admin socket ${target.path}: ${error.message}.`);
  }
  const { host, port } = target;
  switch (error.code) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${port} of ${host} is in use by another program. Stop that program, or start with another port, such as ` +
          `BURSAR_PORT=${port < MAX_PORT ? port + 1 : DEFAULT_PORT}.`,
      );
    case "EACCES":
      return new StartError(
        `This user has no permission to listen on port ${port}. Start with a port above 1023, such as BURSAR_PORT=${DEFAULT_PORT}.`,
      );
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartError(
        `${host} is not an address of this machine. Set BURSAR_HOST to one of its addresses, such as 127.0.0.1.`,
      );
    default:
      return error;
  }
}

/** Tracks every open socket, also below TLS and before the first request, which node:http does not know. */
function trackConnections(server: NetServer): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  return connections;
}

async function closeGracefully(
  { front, http, own, connections }: ServedConnections,
  drained: Promise<void>,
): Promise<void> {
  const isListening = front.listening;
  const closed = new Promise<void>((resolve) => front.close(() => resolve()));
  const closeIdle = () => {
    http.closeIdleConnections();
    own?.closeIdle();
  };
  closeIdle();
  // A busy keep-alive socket becomes idle after the first sweep, hence the timer.
  const sweep = setInterval(closeIdle, IDLE_SWEEP_MS);
  await drained;
  const cut = setTimeout(() => {
    for (const socket of connections) socket.destroy();
  }, GRACE_MS);
  await closed;
  // A server that does not listen closes at once, even with open connections.
  if (!isListening) await waitUntilClosed(connections);
  clearInterval(sweep);
  clearTimeout(cut);
  own?.stop();
  // Stops the time limits of node:http.
  if (http !== front) http.close();
}

async function waitUntilClosed(connections: ReadonlySet<Socket>): Promise<void> {
  for (const socket of connections) if (!socket.closed) await once(socket, "close");
}

// Node could not parse the request, so there is no request object. The response is written by hand in the official
// shape.
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  socket.end(formatRefusal(toRefusal(error.code)));
  // Ends requests that still run on this connection, also if the client never closes it.
  setTimeout(() => socket.destroy(), GRACE_MS).unref();
}

function formatRefusal(refusal: ApiError): string {
  const requestId = newId(idPrefixes.request, systemClock.nowMs());
  const body = JSON.stringify(toErrorBody(refusal, requestId));
  return `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nrequest-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`;
}

/** True if a response has begun. More data would damage it. */
function isAnswering(socket: Socket): boolean {
  // Node's internal property for the response of a connection. Node's own handler checks it too.
  const response: unknown = Reflect.get(socket, "_httpMessage");
  return response instanceof ServerResponse && response.headersSent;
}

function toRefusal(code: string | undefined): ApiError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new ApiError("headers_too_large", "The request headers are larger than 16 KB.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new ApiError("request_timeout", "The request did not arrive in time.");
    default:
      return new ApiError("invalid_http", "The request is not valid HTTP/1.1.");
  }
}
