import type { HttpCallHandler, HttpClient, HttpRequest } from "#src/lib/http-client.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import { UpstreamCall } from "./upstream-call.ts";
import { type ConnectionOwner, UpstreamConnection } from "./upstream-connection.ts";
import { type Connector, type ConnectorOptions, makeConnector } from "./upstream-connector.ts";
import { UpstreamError } from "./upstream-error.ts";
import { formatRequestHead } from "./upstream-request.ts";

export interface SocketClientOptions extends ConnectorOptions {
  /** Maximum silence before the response's headers and between its bytes, milliseconds. */
  idleTimeoutMs: number;
  /** Longest time for which an idle connection is kept, milliseconds. */
  keepAliveMs: number;
  /** Longest time if the upstream's `keep-alive` header allows more, milliseconds. */
  keepAliveMaxMs: number;
  turnEnd: TurnEnd;
  /** Monotonic clock, milliseconds. */
  nowMs(): number;
}

/** Safety margin of the upstream's own limit for idle connections, milliseconds. */
const HINT_MARGIN_MS = 2_000;
/** Bounds of the time between two checks for silence, milliseconds. */
const TICK_MS = { least: 20, most: 1_000 };
/** Number of checks within the time limit for silence. */
const TICKS_IN_TIMEOUT = 10;
/** Unused connections that one check closes. More would delay requests after a burst. */
const MAX_CLOSED_IN_TICK = 500;

/** Creates a client over sockets, with one request per connection. Opens no connection before the first request. */
export function makeSocketClient(options: SocketClientOptions): HttpClient {
  return new SocketClient(options);
}

class SocketClient implements HttpClient, ConnectionOwner {
  readonly #options: SocketClientOptions;
  readonly #connector: Connector;
  readonly #connections = new Set<UpstreamConnection>();
  /** Connections without a request. The last one became idle last, and is used first. Closed ones stay until a check. */
  #idle: UpstreamConnection[] = [];
  /** Requests of this turn. */
  #pending: UpstreamCall[] = [];
  #isFlushPlanned = false;
  /** Counts the ends of turns. A connection is used again only after another poll for its end. */
  #turn = 0;
  /** Counts the checks for silence. A suspended process missed checks, and no upstream is blamed for them. */
  #tick = 0;
  readonly #tickMs: number;
  readonly #bodyTicks: number;
  #ticking: NodeJS.Timeout | null = null;
  /** Requests that have not ended. */
  #running = 0;
  #opening = 0;
  #state: "open" | "closing" | "destroyed" = "open";
  readonly #ended = Promise.withResolvers<void>();

  constructor(options: SocketClientOptions) {
    this.#options = options;
    this.#connector = makeConnector(options);
    const tickMs = options.idleTimeoutMs / TICKS_IN_TIMEOUT;
    this.#tickMs = Math.max(TICK_MS.least, Math.min(TICK_MS.most, tickMs));
    this.#bodyTicks = Math.ceil(options.idleTimeoutMs / this.#tickMs);
  }

  get isClosed(): boolean {
    return this.#state !== "open";
  }

  send(request: HttpRequest, handler: HttpCallHandler): void {
    if (this.#state !== "open") {
      handler.onResponseError(null, new UpstreamError("UND_ERR_CLOSED", "the client is closed"));
      return;
    }
    const head = formatRequestHead(request, this.#connector.host);
    const headersTimeoutMs = request.headersTimeoutMs ?? this.#options.idleTimeoutMs;
    this.#running++;
    this.#pending.push(new UpstreamCall(request, handler, { head, headersTimeoutMs }));
    this.#planFlush();
  }

  close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    for (const connection of this.#idle.splice(0)) connection.fail(makeDestroyedError());
    this.#resolveIfEnded();
    return this.#ended.promise;
  }

  destroy(): Promise<void> {
    this.#state = "destroyed";
    const error = makeDestroyedError();
    for (const call of this.#pending.splice(0)) this.#failUnsent(call, error);
    this.#connector.cancel(error);
    for (const connection of this.#connections) connection.fail(error);
    this.#resolveIfEnded();
    return this.#ended.promise;
  }

  onIdle(connection: UpstreamConnection, keepAliveHint: string | null): void {
    const keepAliveMs = this.#keepAliveMs(keepAliveHint);
    if (this.#state !== "open" || keepAliveMs <= 0) {
      connection.fail(makeDestroyedError());
      return;
    }
    connection.idleSinceTurn = this.#turn;
    connection.idleUntilMs = this.#options.nowMs() + keepAliveMs;
    this.#idle.push(connection);
    this.#planFlush();
  }

  onCallEnd(): void {
    this.#running--;
    this.#resolveIfEnded();
  }

  onClose(connection: UpstreamConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) {
      this.#idle = [];
      if (this.#ticking !== null) clearInterval(this.#ticking);
      this.#ticking = null;
    }
    this.#resolveIfEnded();
  }

  headersDeadline(timeoutMs: number): number {
    return this.#tick + Math.ceil(timeoutMs / this.#tickMs);
  }

  bodyDeadline(): number {
    return this.#tick + this.#bodyTicks;
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    this.#options.turnEnd.add("sockets", () => this.#flush());
  }

  /** Sends the requests of this turn. The poll before this phase has reported each idle connection that ended. */
  #flush(): void {
    this.#isFlushPlanned = false;
    const pending = this.#pending;
    if (pending.length > 0) {
      this.#pending = [];
      for (const call of pending) {
        const connection = this.#takeIdle();
        if (connection === null) this.#tryToOpen(call);
        else connection.start(call);
      }
    }
    this.#turn++;
  }

  /** Takes a connection that was idle before this turn. */
  #takeIdle(): UpstreamConnection | null {
    const idle = this.#idle;
    let at = idle.length - 1;
    for (; at >= 0; at--) {
      const connection = idle[at] as UpstreamConnection;
      if (connection.idleSinceTurn === this.#turn) continue;
      if (connection.isClosed) {
        idle.splice(at, 1);
        continue;
      }
      // The others have been idle for longer, so their time is over too.
      if (this.#options.nowMs() >= connection.idleUntilMs) return null;
      idle.splice(at, 1);
      return connection;
    }
    return null;
  }

  #tryToOpen(call: UpstreamCall): void {
    try {
      this.#open(call);
    } catch (error) {
      this.#failUnsent(call, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #open(call: UpstreamCall): void {
    const connection = new UpstreamConnection(this);
    this.#opening++;
    this.#connector.open(
      (bytes) => connection.onRead(bytes),
      (result) => {
        this.#opening--;
        if (result instanceof Error) {
          this.#failUnsent(call, result);
          return;
        }
        this.#connections.add(connection);
        this.#ticking ??= setInterval(() => this.#checkAll(), this.#tickMs).unref();
        connection.attach(result);
        connection.start(call);
      },
    );
  }

  #failUnsent(call: UpstreamCall, error: Error): void {
    call.handler.onResponseError(null, error);
    this.onCallEnd();
  }

  /** Ends silent calls, and closes connections that were idle for too long. */
  #checkAll(): void {
    this.#tick++;
    for (const connection of this.#connections) connection.checkSilence(this.#tick);
    this.#closeExpired();
  }

  #closeExpired(): void {
    if (this.#idle.length === 0) return;
    const nowMs = this.#options.nowMs();
    let closed = 0;
    this.#idle = this.#idle.filter((connection) => {
      const isExpired = nowMs >= connection.idleUntilMs && closed < MAX_CLOSED_IN_TICK;
      if (isExpired && !connection.isClosed) {
        connection.fail(makeDestroyedError());
        closed++;
      }
      return !connection.isClosed;
    });
  }

  #keepAliveMs(hint: string | null): number {
    const { keepAliveMs, keepAliveMaxMs } = this.#options;
    if (hint === null) return keepAliveMs;
    const seconds = /timeout=(\d+)/.exec(hint)?.[1];
    if (seconds === undefined) return keepAliveMs;
    return Math.min(Number(seconds) * 1_000 - HINT_MARGIN_MS, keepAliveMaxMs);
  }

  #resolveIfEnded(): void {
    if (this.#state === "open" || this.#running > 0) return;
    if (this.#connections.size === 0 && this.#opening === 0) this.#ended.resolve();
  }
}

function makeDestroyedError(): UpstreamError {
  return new UpstreamError("UND_ERR_DESTROYED", "the client is closed");
}
