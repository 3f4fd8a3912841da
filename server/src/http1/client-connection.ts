import type { Socket } from "node:net";
import { allocateOwned } from "#src/lib/release-memory.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import type { BodyTurns, TurnReader } from "./body-turns.ts";
import { type ClientCall, KEEP_ALIVE_SECONDS } from "./client-call.ts";
import { readRequestHead } from "./read-head.ts";
import { type BodyConnection, RequestBody } from "./request-body.ts";
import { type CallConnection, SocketCall } from "./socket-call.ts";
import { type OutputSource, SocketOutput } from "./socket-output.ts";

export interface ConnectionDeps {
  turnEnd: TurnEnd;
  /** True for requests that `handle` serves. node:http serves the others. */
  handles(method: string, target: string): boolean;
  handle(call: ClientCall): void;
  /** Continues a connection with node:http. The socket has the unread bytes in its buffer again. */
  handOver(socket: Socket): void;
  /** Formats the response to a request that cannot be read. `code` is one of node:http. */
  formatRefusal(code: string): string;
}

/** Time between two checks of all connections, milliseconds. */
export const SWEEP_MS = 5_000;
/** Longest time for a head, and for the rest of a body after its response, milliseconds. */
const HEAD_MS = 60_000;
/** Time for a client to read the refusal of its bytes, milliseconds. */
const GRACE_MS = 1_000;
/** A head in more pieces goes to node:http, which keeps its state from piece to piece. */
const MAX_HEAD_PIECES = 4;
/** Bytes of later requests that wait for their turn. With more, the connection is not read. */
const MAX_WAITING_BYTES = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);

/**
 * `new`: nothing has arrived. `idle`: between two requests. `head`: a part of a head has arrived. `call`: a request runs.
 * `rest`: its response is sent, and the rest of its body arrives. `over`: closed, invalid, or served by node:http.
 */
type State = "new" | "idle" | "head" | "call" | "rest" | "over";

/** One connection of a client. Its requests run one after another. */
export class ClientConnection implements CallConnection, BodyConnection, OutputSource, TurnReader {
  readonly socket: Socket;
  /** Address of the other end, also after the end of the connection. */
  readonly address: string;
  readonly output: SocketOutput;
  readonly #deps: ConnectionDeps & { turns: BodyTurns };
  readonly #onOver: (connection: ClientConnection) => void;
  #state: State = "new";
  /** Sweeps since the state began. */
  #sweeps = 0;
  #call: SocketCall | null = null;
  /** Bytes after the current request. */
  #waiting: Buffer | null = null;
  #headPieces = 0;
  #isClosing = false;
  /** A body has no reader, or too many bytes wait. */
  #isPaused = false;
  #waitsForTurn = false;

  constructor(
    socket: Socket,
    deps: ConnectionDeps & { turns: BodyTurns },
    onOver: (over: ClientConnection) => void,
  ) {
    this.socket = socket;
    this.address = socket.remoteAddress ?? "";
    this.#deps = deps;
    this.#onOver = onOver;
    this.output = new SocketOutput(socket, deps.turnEnd, this);
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("drain", this.#onDrain);
    socket.on("close", this.#onClose);
    // The "close" event follows.
    socket.on("error", ignore);
  }

  get isOver(): boolean {
    return this.#state === "over" || this.socket.destroyed;
  }

  /** Ends the connection, but not before the end of a running request. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    this.#call?.closeAfterwards();
    if (this.#state === "idle") this.socket.destroy();
  }

  get isIdle(): boolean {
    return this.#state === "idle" || this.#state === "new";
  }

  /** Number of sweeps since the connection waits for bytes. Null: a request runs. */
  get waitedSweeps(): number | null {
    return this.#state === "call" || this.#state === "over" ? null : this.#sweeps;
  }

  /** Closes a connection without a running request at once. */
  closeWaiting(): void {
    this.#leave();
    this.socket.destroy();
  }

  /** Checks the time limits. Called every `SWEEP_MS`. */
  sweep(): void {
    if (this.#state === "call" || this.#state === "over") return;
    this.#sweeps++;
    const ms = (this.#sweeps - 1) * SWEEP_MS;
    if (this.#state === "idle" && ms >= KEEP_ALIVE_SECONDS * 1_000) this.socket.destroy();
    else if (this.#state === "rest" && ms >= HEAD_MS) this.socket.destroy();
    else if (this.#state !== "idle" && ms >= HEAD_MS) this.#refuse("ERR_HTTP_REQUEST_TIMEOUT");
  }

  pauseReading(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resumeReading(): void {
    this.#isPaused = false;
    if (!this.#waitsForTurn && this.socket.isPaused()) this.socket.resume();
  }

  waitForTurn(): void {
    this.#waitsForTurn = true;
    this.socket.pause();
  }

  continueReading(): void {
    this.#waitsForTurn = false;
    if (!this.#isPaused && !this.isOver) this.socket.resume();
  }

  completeTurn(): void {
    this.#call?.completeTurn();
  }

  onFlushed(): void {
    this.#call?.onFlushed();
  }

  onCallSent(): void {
    const call = this.#call;
    if (call === null) return;
    call.close(true);
    if (this.isOver) return;
    if (!call.isKeptAlive || this.#isClosing) {
      this.socket.destroySoon();
    } else if (call.isBodyComplete) {
      this.#readNext();
    } else {
      this.#enter("rest");
      call.body.discard();
    }
  }

  readonly #onData = (bytes: Buffer): void => {
    switch (this.#state) {
      case "new":
      case "idle":
        this.#readHead(bytes);
        return;
      case "head":
        this.#readHead(join(this.#waiting as Buffer, bytes));
        return;
      case "call":
      case "rest":
        this.#readDuringCall(this.#call as SocketCall, bytes);
        return;
      case "over":
    }
  };

  #enter(state: State): void {
    this.#state = state;
    this.#sweeps = 0;
  }

  #readNext(): void {
    const waiting = this.#waiting;
    this.#call = null;
    this.#waiting = null;
    this.#enter("idle");
    this.resumeReading();
    if (waiting !== null) this.#readHead(waiting);
  }

  /** Reads a request from the start of `bytes`. */
  #readHead(bytes: Buffer): void {
    const read = readRequestHead(bytes, 0);
    if (read.kind === "partial") {
      if (this.#state !== "head") {
        this.#enter("head");
        this.#headPieces = 0;
      }
      this.#waiting = bytes;
      this.#headPieces++;
      if (this.#headPieces > MAX_HEAD_PIECES) this.#handOver(bytes);
      return;
    }
    if (read.kind === "other" || !this.#deps.handles(read.head.method, read.head.target)) {
      this.#handOver(bytes);
      return;
    }
    const body = new RequestBody(this, read.head.framing);
    const call = new SocketCall(this, read.head, body);
    if (this.#isClosing) call.closeAfterwards();
    this.#call = call;
    this.#waiting = null;
    this.#enter("call");
    if (!this.#feedBody(body, bytes, read.length)) return;
    this.#deps.handle(call);
  }

  #readDuringCall({ body }: SocketCall, bytes: Buffer): void {
    if (body.isComplete) {
      this.#keepWaiting(bytes);
      return;
    }
    if (!this.#feedBody(body, bytes, 0)) return;
    if (!body.isComplete) this.#deps.turns.count(this, bytes.length);
    else if (this.#state === "rest") this.#readNext();
  }

  /** Feeds a body. Bytes after it wait. False: the bytes are invalid. */
  #feedBody(body: RequestBody, bytes: Buffer, start: number): boolean {
    const end = body.isComplete ? start : body.feed(bytes, start);
    if (end === -2) {
      this.#refuse("HPE_INVALID_CHUNK_SIZE");
      return false;
    }
    if (end === -1) return true;
    // A copy, because the reader of the body owns its memory.
    if (end < bytes.length) this.#keepWaiting(join(NO_BYTES, bytes.subarray(end)));
    body.reportEnd();
    return true;
  }

  #keepWaiting(bytes: Buffer): void {
    this.#waiting = this.#waiting === null ? bytes : join(this.#waiting, bytes);
    if (this.#waiting.length > MAX_WAITING_BYTES) this.pauseReading();
  }

  #handOver(bytes: Buffer): void {
    const { socket } = this;
    this.#leave();
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("drain", this.#onDrain);
    socket.off("close", this.#onClose);
    socket.pause();
    socket.unshift(bytes);
    this.#deps.handOver(socket);
    socket.off("error", ignore);
    socket.resume();
  }

  /** Refuses bytes that are no HTTP, as node:http does. A started response is cut off. */
  #refuse(code: string): void {
    const { socket } = this;
    const isAnswering = this.#call?.isHeadSent === true;
    this.#leave();
    if (!socket.writable || isAnswering) {
      socket.destroy();
      return;
    }
    socket.end(this.#deps.formatRefusal(code));
    setTimeout(() => socket.destroy(), GRACE_MS).unref();
  }

  readonly #onEnd = (): void => {
    if (this.#state === "over") return;
    const isPartial = this.#state === "head" || this.#call?.isBodyComplete === false;
    if (isPartial) this.#refuse("HPE_INVALID_EOF_STATE");
    else this.socket.end();
  };

  readonly #onDrain = (): void => {
    this.#call?.onWritable();
  };

  readonly #onClose = (): void => {
    this.#leave();
    this.#call?.close(false);
    this.#call = null;
  };

  #leave(): void {
    if (this.#state === "over") return;
    this.#enter("over");
    this.#waiting = null;
    this.#onOver(this);
  }
}

/** Joins bytes in memory of their own. */
function join(first: Buffer, second: Buffer): Buffer {
  const all = allocateOwned(first.length + second.length);
  first.copy(all);
  second.copy(all, first.length);
  return all;
}

function ignore(): void {}
