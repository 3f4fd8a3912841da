import { connect, type Socket } from "node:net";
import { MessageReader } from "./http-messages.ts";
import { monotonicMs } from "./monotonic.ts";

/** One request and its response. Times are of the monotonic clock, in milliseconds. */
export interface Exchange {
  /** Time at which the request was due. */
  dueMs: number;
  writtenMs: number;
  /** First byte of the response body. Without a body, of the head. */
  firstByteMs: number;
  bodyBytes: number;
}

interface PoolOptions {
  /** Port on loopback. */
  port: number;
  /** Bytes of the requests, used in turn. At least one. */
  requests: readonly Buffer[];
  mostConnections: number;
  onAnswer(exchange: Exchange): void;
  onFailure(reason: string): void;
}

/** Keep-alive connections with one request at a time on each. Never retries a request. */
export class ConnectionPool {
  mostInFlight = 0;
  readonly #options: PoolOptions;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  /** Due times of requests that wait for a free connection. */
  readonly #waiting: number[] = [];
  #inFlight = 0;
  #sent = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Opens this many connections and waits for all. Throws when one cannot be opened. */
  async open(count: number): Promise<void> {
    const opened = Array.from({ length: count }, () => this.#connect());
    await Promise.all(opened.map((connection) => connection.connected));
    this.#idle.push(...opened);
  }

  send(dueMs: number): void {
    const connection =
      this.#idle.pop() ??
      (this.#all.size < this.#options.mostConnections ? this.#connect() : undefined);
    if (connection) this.#sendOn(connection, dueMs);
    else this.#waiting.push(dueMs);
  }

  /** Fails requests that waited longer than this for their complete response. */
  expireRequests(limitMs: number): void {
    const oldest = monotonicMs() - limitMs;
    for (const connection of this.#all) {
      if (connection.exchange && connection.exchange.writtenMs < oldest)
        connection.fail("timed out");
    }
  }

  close(): void {
    this.#waiting.length = 0;
    for (const connection of this.#all) connection.socket.destroy();
  }

  #sendOn(connection: Connection, dueMs: number): void {
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    const { requests } = this.#options;
    const request = requests[this.#sent % requests.length];
    if (request === undefined) throw new Error("a load has requests");
    this.#sent += 1;
    connection.write(request, dueMs);
  }

  #connect(): Connection {
    const connection = new Connection(this.#options.port, {
      onAnswer: (exchange, isReusable) => {
        this.#inFlight -= 1;
        if (isReusable) this.#reuse(connection);
        else connection.socket.destroy();
        this.#options.onAnswer(exchange);
      },
      onFailure: (reason) => {
        this.#inFlight -= 1;
        this.#options.onFailure(reason);
      },
      onClose: () => {
        this.#all.delete(connection);
        const at = this.#idle.indexOf(connection);
        if (at >= 0) this.#idle.splice(at, 1);
        const dueMs = this.#waiting.shift();
        if (dueMs !== undefined) this.send(dueMs);
      },
    });
    this.#all.add(connection);
    return connection;
  }

  #reuse(connection: Connection): void {
    const dueMs = this.#waiting.shift();
    if (dueMs === undefined) this.#idle.push(connection);
    else this.#sendOn(connection, dueMs);
  }
}

/**
 * Buffer shared by all connections. A piece is used up before the next one is read, which saves an allocation for
 * each.
 */
const readBuffer = Buffer.alloc(64 * 1024);

interface ConnectionEvents {
  onAnswer(exchange: Exchange, isReusable: boolean): void;
  onFailure(reason: string): void;
  /** Called once, after a response or failure of its request. */
  onClose(): void;
}

class Connection {
  readonly socket: Socket;
  readonly connected: Promise<void>;
  /** Request in progress on the connection. */
  exchange: Exchange | null = null;
  readonly #events: ConnectionEvents;
  #status = "";
  #keepsConnection = true;

  constructor(port: number, events: ConnectionEvents) {
    this.#events = events;
    const reader = this.#makeReader();
    this.socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#read(reader, length) },
    });
    this.connected = new Promise((resolve, reject) => {
      this.socket.once("connect", resolve);
      this.socket.once("error", reject);
    });
    this.connected.catch(() => {}); // also reported through onFailure, since only `open` awaits it
    this.socket.on("error", (error: NodeJS.ErrnoException) =>
      this.fail(error.code ?? error.message),
    );
    this.socket.on("close", () => {
      this.fail("closed before the end of the answer");
      this.#events.onClose();
    });
  }

  write(request: Buffer, dueMs: number): void {
    this.exchange = { dueMs, writtenMs: monotonicMs(), firstByteMs: 0, bodyBytes: 0 };
    this.socket.write(request);
  }

  /** Closes the connection. A request on it fails. */
  fail(reason: string): void {
    this.socket.destroy();
    if (!this.exchange) return;
    this.exchange = null;
    this.#events.onFailure(reason);
  }

  #read(reader: MessageReader, length: number): boolean {
    try {
      reader.read(readBuffer.subarray(0, length));
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
    return true; // continue reading
  }

  #makeReader(): MessageReader {
    return new MessageReader({
      onHead: ({ startLine, keepsConnection }) => {
        this.#status = startLine.split(" ", 2)[1] ?? "";
        this.#keepsConnection = keepsConnection;
      },
      onBody: (piece) => {
        const { exchange } = this;
        if (!exchange) return;
        if (exchange.bodyBytes === 0) exchange.firstByteMs = monotonicMs();
        exchange.bodyBytes += piece.length;
      },
      onEnd: () => this.#endExchange(),
    });
  }

  #endExchange(): void {
    const { exchange } = this;
    if (!exchange) throw new Error("a response without a request");
    if (this.#status !== "200") {
      this.fail(`status ${this.#status}`);
      return;
    }
    this.exchange = null;
    if (exchange.bodyBytes === 0) exchange.firstByteMs = monotonicMs();
    this.#events.onAnswer(exchange, this.#keepsConnection);
  }
}
