import type { Socket } from "node:net";
import { releaseMemory } from "#src/lib/release-memory.ts";
import { type ResponseHead, readResponseHead } from "./read-head.ts";
import { ResponseBodyReader } from "./response-body.ts";
import type { UpstreamCall } from "./upstream-call.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Larger bodies are sent in pieces of this size, so that each piece counts as progress and leaves the memory. */
const PIECE_BYTES = 256 * 1024;
/** A smaller body is copied behind its head, because one buffer is cheaper to write than two. */
const MAX_COPIED_BYTES = 16 * 1024;
/** A smaller body counts as sent when it is written. */
const SMALL_BODY_BYTES = 64 * 1024;
/** Informational responses before the final one. Their number is limited, because each one restarts no timeout. */
const MAX_INFORMATIONAL = 100;

/** The client of a connection, which gets its reports. */
export interface ConnectionOwner {
  /** The response has ended, and the connection can be used again. */
  onIdle(connection: UpstreamConnection, keepAliveHint: string | null): void;
  /** The call has ended, with or without success. */
  onCallEnd(): void;
  /** The socket is closed. */
  onClose(connection: UpstreamConnection): void;
  /** Limits for silence from now on, in the client's ticks. */
  headersDeadline(timeoutMs: number): number;
  bodyDeadline(): number;
}

type State = "idle" | "head" | "body" | "closed";

/** One connection to an upstream. Runs one call at a time. */
export class UpstreamConnection {
  readonly #owner: ConnectionOwner;
  readonly #body = new ResponseBodyReader();
  #socket: Socket | null = null;
  #state: State = "idle";
  #call: UpstreamCall | null = null;
  /** First bytes of a head that has not arrived completely. */
  #partialHead: Buffer | null = null;
  #isKeptAlive = false;
  #keepAliveHint: string | null = null;
  #isPaused = false;
  #informational = 0;
  /** Rest of a large request body. */
  #unsent: Buffer | null = null;
  /** Tick after which the silence is too long. */
  #deadline = 0;
  /** Turn of the client in which the connection became idle, and its end of use in milliseconds. */
  idleSinceTurn = -1;
  idleUntilMs = 0;

  readonly #passData = (data: Buffer, framed?: Buffer): void => {
    const call = this.#call as UpstreamCall;
    call.handler.onResponseData(call, data, framed);
  };

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
  }

  /** Uses this connected socket. Its bytes go to `onRead`. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", (error) => this.fail(error));
    socket.on("end", () => this.#endInput());
    socket.on("close", () => {
      this.fail(new UpstreamError("UND_ERR_SOCKET", "the connection was closed"));
      this.#owner.onClose(this);
    });
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Sends a request over an idle connection. */
  start(call: UpstreamCall): void {
    if (this.#state !== "idle") {
      const error = new UpstreamError("UND_ERR_SOCKET", "the connection is not idle");
      call.handler.onResponseError(null, error);
      this.#owner.onCallEnd();
      return;
    }
    this.#call = call;
    call.connection = this;
    this.#state = "head";
    this.#informational = 0;
    this.#isPaused = false;
    this.#deadline = this.#owner.headersDeadline(call.headersTimeoutMs);
    try {
      call.handler.onRequestStart(call);
      if (this.#call === call) this.#write(call);
    } catch (error) {
      this.fail(toError(error));
    }
  }

  /** Ends the connection and its call with this error. */
  fail(error: Error): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#unsent = null;
    this.#partialHead = null;
    this.#socket?.destroy();
    const call = this.#takeCall();
    if (call === null) return;
    call.handler.onResponseError(call, error);
    this.#owner.onCallEnd();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#deadline = this.#owner.bodyDeadline();
    this.#socket?.resume();
  }

  /** Ends the call if its upstream was silent until this tick. */
  checkSilence(tick: number): void {
    if (tick <= this.#deadline) return;
    if (this.#state === "head") {
      this.fail(new UpstreamError("UND_ERR_HEADERS_TIMEOUT", "no response in time"));
    } else if (this.#state === "body" && !this.#isPaused) {
      this.fail(new UpstreamError("UND_ERR_BODY_TIMEOUT", "the response was silent for too long"));
    }
  }

  /** Reads bytes, which are overwritten afterwards. */
  onRead(bytes: Buffer): boolean {
    try {
      switch (this.#state) {
        case "head":
          this.#readHead(bytes);
          break;
        case "body":
          this.#deadline = this.#owner.bodyDeadline();
          this.#readBody(copyOf(bytes));
          break;
        case "idle":
          this.fail(new UpstreamError("UND_ERR_SOCKET", "bytes without a request"));
          break;
        case "closed":
      }
    } catch (error) {
      this.fail(toError(error));
    }
    return !this.#isPaused;
  }

  #readHead(arrived: Buffer): void {
    const partial = this.#partialHead;
    const bytes = partial === null ? arrived : Buffer.concat([partial, arrived]);
    this.#partialHead = null;
    let pos = 0;
    for (;;) {
      const { method } = this.#call as UpstreamCall;
      const read = readResponseHead(bytes, pos, method);
      if (read.kind === "partial") {
        this.#partialHead = copyOf(bytes.subarray(pos));
        return;
      }
      if (read.kind === "other") {
        this.fail(new UpstreamError("HPE_INVALID_RESPONSE", `invalid response: ${read.reason}`));
        return;
      }
      pos += read.length;
      const next = this.#startResponse(read.head);
      // The handler can have ended the call.
      if (this.#call === null) return;
      if (next === "body" && pos < bytes.length) this.#readBody(copyOf(bytes.subarray(pos)));
      if (next === "end") this.#complete(pos < bytes.length);
      if (next !== "head") return;
    }
  }

  /** Reports a head. Returns what follows: another head after an informational one, the body, or nothing. */
  #startResponse({ status, fields, framing, isKeptAlive }: ResponseHead): "head" | "body" | "end" {
    const call = this.#call as UpstreamCall;
    if (status < 200) {
      if (++this.#informational > MAX_INFORMATIONAL) {
        throw new UpstreamError("HPE_INVALID_RESPONSE", "too many informational responses");
      }
      call.handler.onResponseStart(call, status, fields);
      return "head";
    }
    this.#state = "body";
    this.#deadline = this.#owner.bodyDeadline();
    this.#isKeptAlive = isKeptAlive;
    this.#keepAliveHint = isKeptAlive ? (fields.find("keep-alive") ?? null) : null;
    const isEnded = this.#body.begin(framing);
    call.handler.onResponseStart(call, status, fields);
    return isEnded ? "end" : "body";
  }

  #readBody(bytes: Buffer): void {
    const call = this.#call;
    if (call === null) return;
    const read = this.#body.read(bytes, this.#passData);
    if (this.#call !== call || read === "more") return;
    if (read === "invalid") {
      this.fail(new UpstreamError("HPE_INVALID_RESPONSE", "invalid chunked coding"));
    } else this.#complete(read < bytes.length);
  }

  /** The upstream sends nothing more. */
  #endInput(): void {
    if (this.#state === "body" && this.#body.endsWithConnection) this.#complete(true);
    else this.fail(new UpstreamError("UND_ERR_SOCKET", "other side closed"));
  }

  /** Ends the call. `hasExtra`: bytes or the end of the connection came after the response. */
  #complete(hasExtra: boolean): void {
    const call = this.#takeCall();
    if (call === null) return;
    const socket = this.#socket as Socket;
    // The rest of a request would be read as the next one.
    const isSent = this.#unsent === null && socket.writableLength === 0;
    const isReusable = this.#isKeptAlive && !hasExtra && isSent && !socket.destroyed;
    if (this.#isPaused) {
      this.#isPaused = false;
      socket.resume();
    }
    if (isReusable) {
      this.#state = "idle";
      this.#owner.onIdle(this, this.#keepAliveHint);
    } else {
      this.#state = "closed";
      this.#unsent = null;
      socket.destroy();
    }
    try {
      call.handler.onResponseEnd();
    } catch (error) {
      call.handler.onResponseError(call, toError(error));
    }
    this.#owner.onCallEnd();
  }

  #takeCall(): UpstreamCall | null {
    const call = this.#call;
    this.#call = null;
    if (call !== null) call.connection = null;
    return call;
  }

  #write(call: UpstreamCall): void {
    const socket = this.#socket as Socket;
    const { head } = call;
    const body = call.takeBody();
    if (body === null || body.length === 0) {
      socket.write(head, "latin1");
      call.handler.onRequestSent();
      return;
    }
    if (body.length <= MAX_COPIED_BYTES) {
      socket.write(joinRequest(head, body));
      call.handler.onRequestSent();
      return;
    }
    // One system call for both, without a copy of the body.
    socket.cork();
    socket.write(Buffer.from(head, "latin1"));
    if (body.length > SMALL_BODY_BYTES) {
      this.#unsent = body;
      this.#writePiece(call, body);
      socket.uncork();
      return;
    }
    socket.write(body);
    socket.uncork();
    // If bytes are left, the kernel has not taken the body, and the socket still needs its memory.
    if (call.ownsBody && socket.writableLength === 0) releaseMemory(body);
    call.handler.onRequestSent();
  }

  /** Writes the next piece of a large body when the last one has left. */
  #writePiece(call: UpstreamCall, whole: Buffer): void {
    const body = this.#unsent;
    // A response before the end of the request can have ended the call.
    if (body === null || this.#call !== call) return;
    const isLast = body.length <= PIECE_BYTES;
    const piece = isLast ? body : body.subarray(0, PIECE_BYTES);
    (this.#socket as Socket).write(piece, (error) => {
      // The socket reports its errors itself.
      if (error || this.#call !== call) return;
      if (this.#state === "head") {
        this.#deadline = this.#owner.headersDeadline(call.headersTimeoutMs);
      }
      if (!isLast) this.#writePiece(call, whole);
      else {
        this.#unsent = null;
        if (call.ownsBody) releaseMemory(whole);
        call.handler.onRequestSent();
      }
    });
    if (!isLast) this.#unsent = body.subarray(PIECE_BYTES);
  }
}

function joinRequest(head: string, body: Buffer): Buffer {
  const all = Buffer.allocUnsafe(head.length + body.length);
  all.set(body, all.write(head, "latin1"));
  return all;
}

/** Copies bytes of the shared buffer, so that they can leave this turn. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
