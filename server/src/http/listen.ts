import { once } from "node:events";
import { rmSync } from "node:fs";
import {
  createServer,
  type RequestListener,
  type Server,
  ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createPlainServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { toErrorBody } from "#src/domain/error-body.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";
import { StartError } from "#src/lib/start-error.ts";

export interface ServeOptions {
  /** PEM texts; without them the listener speaks plain HTTP. */
  tls: { cert: string; key: string } | null;
  onRequest: RequestListener;
  /** A request whose client sends its body only after a 100 Continue. */
  onCheckContinue: RequestListener;
}

export interface ListenOptions extends ServeOptions {
  host: string;
  port: number;
}

export interface Listener {
  /** `http://127.0.0.1:8484`, without a slash at its end. */
  url: string;
  /**
   * Takes no new connection and resolves when the last one is gone: idle ones are closed as they turn idle, and what is
   * still open a moment after `drained` (silent, half a request, an Admin call that hangs) is cut.
   */
  close(drained: Promise<void>): Promise<void>;
}

const MAX_PORT = 65_535;
/** For messages that suggest a port. */
const DEFAULT_PORT = 8484;
const IDLE_SWEEP_MS = 100;
/** An Admin call takes milliseconds; connections that browsers open ahead of need never say a word. */
const GRACE_MS = 1_000;
/** Longer than the idle time of common load balancers, so that they close first and never meet a closed socket. */
const KEEP_ALIVE_MS = 75_000;

/** The one listener of both HTTP surfaces. Throws a StartError when the address is taken or not allowed. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { server, connections } = makeServer(options);
  await startListening(server, { host: options.host, port: options.port });
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;
  return {
    url: `${options.tls ? "https" : "http"}://${host}:${port}`,
    close: (drained) => closeGracefully(server, connections, drained),
  };
}

/** The address as a browser on this machine can open it: "all addresses" is none to go to. */
export function urlForPeople(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:|$)/, "//localhost");
}

/** The same without a port: for connections that come from elsewhere (deal-connections.ts). */
export interface Acceptor extends Pick<Listener, "close"> {
  accept(connection: Socket): void;
}

export function acceptConnections(options: ServeOptions): Acceptor {
  const { server, connections } = makeServer(options);
  return {
    accept: (connection) => {
      // What Node does for those that a server accepts by itself.
      connection.setNoDelay(true);
      server.emit("connection", connection);
      connection.resume();
    },
    close: (drained) => closeGracefully(server, connections, drained),
  };
}

function makeServer(options: ServeOptions): {
  server: Server;
  connections: ReadonlySet<Socket>;
} {
  const server = options.tls
    ? createTlsServer(options.tls, options.onRequest)
    : createServer(options.onRequest);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("checkContinue", options.onCheckContinue);
  server.on("clientError", refuseBrokenRequest);
  const connections = trackConnections(server);
  return { server, connections };
}

export interface LocalListener {
  /** User id of who sits at the other end, or null for a socket of another listener. */
  operatorUid(socket: Socket): string | null;
  /** Lets running calls end, for a moment. */
  close(): Promise<void>;
}

/**
 * The admin socket: whoever may open it acts as the local operator. It is 0600, so that is the user who runs the server,
 * or root. The caller holds the lock of the data folder, so a socket file that is there is left over and removed.
 */
export async function listenLocally(
  socketPath: string,
  onRequest: RequestListener,
): Promise<LocalListener> {
  const sockets = new WeakSet<Socket>();
  const uid = String(process.getuid?.() ?? "unknown");
  const server = createServer(onRequest);
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("clientError", refuseBrokenRequest);
  const connections = trackConnections(server);
  if (process.platform !== "win32") rmSync(socketPath, { force: true });
  // The mask is set while the file is made: a mode that is changed afterwards leaves a moment in which anyone connects.
  const mask = process.umask(0o177);
  try {
    await startListening(server, { path: socketPath });
  } finally {
    process.umask(mask);
  }
  return {
    operatorUid: (socket) => (sockets.has(socket) ? uid : null),
    close: () => closeGracefully(server, connections, Promise.resolve()),
  };
}

/** Tries the address and leaves it free. Throws a StartError when it is taken or not allowed. */
export async function checkAddress(target: { host: string; port: number }): Promise<void> {
  const server = createPlainServer();
  await startListening(server, target);
  server.close();
  await once(server, "close");
}

/** Throws a StartError when the address is taken or not allowed. */
export function startListening(
  server: NetServer,
  target: { host: string; port: number } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, target)));
    server.listen(target, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function explain(
  error: NodeJS.ErrnoException,
  target: { host: string; port: number } | { path: string },
): Error {
  if ("path" in target) {
    return new StartError(`The admin socket ${target.path} cannot be opened: ${error.message}.`);
  }
  const { host, port } = target;
  switch (error.code) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${port} of ${host} is in use by another program: stop that program, or start with another port, such as ` +
          `BURSAR_PORT=${port < MAX_PORT ? port + 1 : DEFAULT_PORT}.`,
      );
    case "EACCES":
      return new StartError(
        `This user is not allowed to listen on port ${port}: start with a port from 1024 on, such as BURSAR_PORT=${DEFAULT_PORT}.`,
      );
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartError(
        `${host} is not an address of this machine: set BURSAR_HOST to one that is, such as 127.0.0.1.`,
      );
    default:
      return error;
  }
}

/** Every open socket, also those below TLS and those that have not sent a request: node:http knows only the others. */
function trackConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  return connections;
}

async function closeGracefully(
  server: Server,
  connections: ReadonlySet<Socket>,
  drained: Promise<void>,
): Promise<void> {
  const isListening = server.listening;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // A keep-alive socket that was busy turns idle after the first sweep, hence the timer.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  await drained;
  const cut = setTimeout(() => {
    for (const socket of connections) socket.destroy();
  }, GRACE_MS);
  await closed;
  // One that does not listen is closed at once, whatever is open.
  if (!isListening) await allGone(connections);
  clearInterval(sweep);
  clearTimeout(cut);
}

async function allGone(connections: ReadonlySet<Socket>): Promise<void> {
  for (const socket of connections) if (!socket.closed) await once(socket, "close");
}

// Node could not read it as HTTP: no request object exists, so the answer is written by hand, in the official body.
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const refusal = toRefusal(error.code);
  const requestId = newId(idPrefixes.request, systemClock.nowMs());
  const body = JSON.stringify(toErrorBody(refusal, requestId));
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nrequest-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`,
  );
  // Whoever still runs on this connection learns that it is over, also where the client never closes it.
  setTimeout(() => socket.destroy(), GRACE_MS).unref();
}

/** Garbage came behind a request whose answer has begun: nothing can be said any more without damaging that answer. */
function isAnswering(socket: Socket): boolean {
  // Node's own name for the response that has the connection; its own handler of broken requests asks the same.
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
