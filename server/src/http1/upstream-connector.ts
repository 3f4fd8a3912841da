import { connect as connectPlain, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import { openTunnel, type TunnelProxy } from "./open-tunnel.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Address of an upstream: a URL without a path, or a socket of this machine. */
export type UpstreamAddress = { origin: string } | { socketPath: string };

export interface ConnectorOptions {
  address: UpstreamAddress;
  /** Maximum time for a connection, with its TLS handshake, milliseconds. */
  connectTimeoutMs: number;
  /** Maximum number of connections being opened. Null: no limit. */
  maxOpening: number | null;
  /** Certificates that are trusted instead of the system's. */
  ca?: string;
  /** Resolves the host's name with each connection. Default: the system's. */
  lookup?: LookupFunction;
  /** Proxy of an origin with TLS, which resolves the name of the host. Default: none. */
  proxy?: TunnelProxy;
}

/** Receives bytes, which are overwritten after the call. False pauses the socket. */
export type OnRead = (bytes: Buffer) => boolean;

export interface Connector {
  /** Opens a connection. Calls `done` exactly once, with an error of Node or with a connected socket. */
  open(onRead: OnRead, done: (result: Error | Socket) => void): void;
  /** Ends the connections being opened with this error. */
  cancel(error: Error): void;
  /** Value of the Host header. */
  readonly host: string;
}

const READ_BUFFER_BYTES = 64 * 1024;
const TCP_KEEP_ALIVE_MS = 60_000;
/** Time between two attempts while the queue of a local socket is full, milliseconds. */
const RETRY_MS = 10;

/**
 * Buffer for the bytes of every connection. Node reads and calls `onRead` in one step, so that no two connections use it at
 * once. Without it, Node allocates 64 KiB for each read.
 */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
/** First bytes of the buffer, by their number. Events of streams are short, and a view of the buffer takes 0.08 us. */
const shortReads: Buffer[] = [];
const MAX_SHORT_READ_BYTES = 1_024;

function viewRead(bytes: number): Buffer {
  if (bytes > MAX_SHORT_READ_BYTES) return readBuffer.subarray(0, bytes);
  // Filled in order, so that the list has no holes.
  for (let length = shortReads.length; length <= bytes; length++) {
    shortReads.push(readBuffer.subarray(0, length));
  }
  return shortReads[bytes] as Buffer;
}

/** Opens connections of one upstream, a limited number at once. */
export function makeConnector(options: ConnectorOptions): Connector {
  const { maxOpening } = options;
  const openSocket = makeSocketOpener(options);
  const open = makeTunnelOpener(options);
  const opening = new Set<Attempt>();
  const waiting: Attempt[] = [];

  function begin(attempt: Attempt): void {
    opening.add(attempt);
    attempt.start(() => {
      opening.delete(attempt);
      const next = waiting.shift();
      if (next !== undefined) begin(next);
    });
  }

  return {
    host: "origin" in options.address ? new URL(options.address.origin).host : "localhost",
    open(onRead, done) {
      const attempt = new Attempt(
        (under) => openSocket(onRead, under),
        open,
        options.connectTimeoutMs,
        done,
      );
      if (maxOpening === null || opening.size < maxOpening) begin(attempt);
      else waiting.push(attempt);
    },
    cancel(error) {
      for (const attempt of waiting.splice(0)) attempt.cancel(error);
      for (const attempt of opening) attempt.cancel(error);
    },
  };
}

/** One connection being opened. Its socket may be replaced. */
class Attempt {
  readonly #open: (under: Socket | null) => OpeningSocket;
  /** Null: no proxy. */
  readonly #openTunnel: OpenTunnel | null;
  readonly #timeoutMs: number;
  readonly #done: (result: Error | Socket) => void;
  #onEnd: () => void = ignore;
  #socket: Socket | null = null;
  #timeout: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(
    open: (under: Socket | null) => OpeningSocket,
    tunnel: OpenTunnel | null,
    timeoutMs: number,
    done: (result: Error | Socket) => void,
  ) {
    this.#open = open;
    this.#openTunnel = tunnel;
    this.#timeoutMs = timeoutMs;
    this.#done = done;
  }

  start(onEnd: () => void): void {
    this.#onEnd = onEnd;
    this.#timeout = setTimeout(() => this.cancel(makeTimeoutError()), this.#timeoutMs);
    this.#try();
  }

  cancel(error: Error): void {
    this.#socket?.on("error", ignore).destroy();
    this.#finish(error);
  }

  #try(): void {
    if (this.#openTunnel === null) {
      this.#await(this.#open(null));
      return;
    }
    this.#socket = this.#openTunnel((result) => {
      if (result instanceof Error) this.#finish(result);
      else if (this.#isOver) result.on("error", ignore).destroy();
      else this.#await(this.#open(result));
    });
  }

  #await({ socket, readyEvent }: OpeningSocket): void {
    this.#socket = socket;
    const onError = (error: NodeJS.ErrnoException) => {
      // The queue of the local socket is full, and nothing was sent. A peer in this process cannot accept connections
      // while a burst of requests opens them.
      if (error.code === "EAGAIN" && !this.#isOver) {
        this.#retry = setTimeout(() => this.#try(), RETRY_MS);
      } else this.#finish(isTimeout(error) ? makeTimeoutError() : error);
    };
    socket.once("error", onError);
    socket.once(readyEvent, () => {
      socket.off("error", onError);
      this.#finish(socket);
    });
  }

  #finish(result: Error | Socket): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#onEnd();
    this.#done(result);
  }
}

type OpenTunnel = (done: (result: Socket | Error) => void) => Socket;

function makeTunnelOpener({ address, proxy }: ConnectorOptions): OpenTunnel | null {
  if (proxy === undefined || !("origin" in address)) return null;
  const authority = toAuthority(address.origin);
  return authority === null ? null : (done) => openTunnel(proxy, authority, done);
}

/** Returns host and port of an origin with TLS. Null: an origin without TLS, which has no proxy. */
export function toAuthority(origin: string): string | null {
  const { protocol, hostname, port } = new URL(origin);
  return protocol === "https:" ? `${hostname}:${port || 443}` : null;
}

interface OpeningSocket {
  socket: Socket;
  readyEvent: "connect" | "secureConnect";
}

function makeSocketOpener({
  address,
  ca,
  lookup,
}: ConnectorOptions): (onRead: OnRead, under: Socket | null) => OpeningSocket {
  const common = (onRead: OnRead) => ({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    onread: {
      buffer: readBuffer,
      callback: (count: number) => onRead(viewRead(count)),
    },
  });
  if ("socketPath" in address) {
    const path = address.socketPath;
    return (onRead) => ({
      socket: connectPlain({ path, ...common(onRead) }),
      readyEvent: "connect",
    });
  }
  const url = new URL(address.origin);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const target = { host, ...(lookup !== undefined && { lookup }) };
  if (url.protocol === "http:") {
    const port = Number(url.port || 80);
    return (onRead) => ({
      socket: connectPlain({ ...target, port, ...common(onRead) }),
      readyEvent: "connect",
    });
  }
  const port = Number(url.port || 443);
  // A session of an earlier connection saves a part of the next handshake.
  let session: Buffer | undefined;
  let secureContext: SecureContext | undefined;
  return (onRead, under) => {
    secureContext ??= createSecureContext(ca === undefined ? {} : { ca });
    const socket = connectTls({
      secureContext,
      ...target,
      port,
      // RFC 6066 allows names only. The certificate is checked for an IP address too.
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ["http/1.1"],
      ...(session !== undefined && { session }),
      ...common(onRead),
      ...(under !== null && { socket: under }),
    });
    // TLS over another socket has no `onread`.
    if (under !== null) {
      socket.on("data", (bytes: Buffer) => {
        if (!onRead(bytes)) socket.pause();
      });
    }
    socket.on("session", (latest) => {
      session = latest;
    });
    return { socket, readyEvent: "secureConnect" };
  };
}

/** True if an attempt on one of several addresses timed out. */
function isTimeout(error: NodeJS.ErrnoException): boolean {
  if (!(error instanceof AggregateError)) return false;
  const parts: readonly { code?: unknown }[] = [error, ...error.errors];
  return parts.some(({ code }) => code === "ETIMEDOUT");
}

function makeTimeoutError(): UpstreamError {
  return new UpstreamError("UND_ERR_CONNECT_TIMEOUT", "the connection was not opened in time");
}

function ignore(): void {}
