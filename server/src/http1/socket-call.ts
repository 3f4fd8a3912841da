import type { Socket } from "node:net";
import { systemClock } from "#src/lib/clock.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import type { BodyReader, ClientCall } from "./client-call.ts";
import type { RequestHead } from "./read-head.ts";
import type { RequestBody } from "./request-body.ts";
import { formatResponseHead } from "./response-head.ts";
import type { SocketOutput } from "./socket-output.ts";

/** Unsent bytes after which the upstream is paused. */
const MAX_UNSENT_BYTES = 128 * 1024;
const LINE_END = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
const NO_BYTES = Buffer.alloc(0);

/** The connection of a call. */
export interface CallConnection {
  readonly socket: Socket;
  readonly output: SocketOutput;
  /** The connection is closed, or its input is invalid. */
  readonly isOver: boolean;
  /** The response of the current call was sent to its end. */
  onCallSent(): void;
}

/** A request and its response over a socket. */
export class SocketCall implements ClientCall {
  readonly method: string;
  readonly target: string;
  readonly fields: HeaderFields;
  readonly isBodyHeldBack = false;
  readonly isBodyOwned = true;
  readonly adaptBody = null;
  readonly page = null;
  readonly body: RequestBody;
  onClose: ((isWhole: boolean) => void) | null = null;
  onDrain: (() => void) | null = null;
  status: number | null = null;
  isKeptAlive: boolean;
  readonly #connection: CallConnection;
  #coding: "none" | "plain" | "chunked" = "none";
  #state: "open" | "ended" | "cut" | "closed" = "open";
  #isHeldBack = false;
  /** Data of this turn that has no chunk framing yet. */
  #run: Buffer[] = [];
  #runBytes = 0;
  #stallMs: number | undefined;
  #stallTimer: NodeJS.Timeout | null = null;

  constructor(connection: CallConnection, head: RequestHead, body: RequestBody) {
    this.#connection = connection;
    this.method = head.method;
    this.target = head.target;
    this.fields = head.fields;
    this.isKeptAlive = head.isKeptAlive;
    this.body = body;
  }

  get socket(): Socket {
    return this.#connection.socket;
  }

  get isBodyComplete(): boolean {
    return this.body.isComplete;
  }

  get isGone(): boolean {
    return this.#state === "cut" || this.#state === "closed" || this.#connection.isOver;
  }

  get isHeadSent(): boolean {
    return this.status !== null;
  }

  sendContinue(): void {
    // Requests with Expect are served by node:http.
  }

  takeBody(): Buffer | null {
    return this.body.takeWhole();
  }

  readBody(reader: BodyReader): void {
    this.body.read(reader);
  }

  pauseBody(): void {
    this.body.pause();
  }

  closeAfterwards(): void {
    this.isKeptAlive = false;
  }

  writeHead(status: number, headers: FieldLines): void {
    if (this.status !== null) throw new Error("the head of a response is written once");
    const hasBody = this.method !== "HEAD" && status !== 204 && status !== 304;
    const isChunked = hasBody && !headers.hasLength;
    const { isKeptAlive } = this;
    const nowMs = systemClock.nowMs();
    const text = formatResponseHead({ status, headers, isKeptAlive, isChunked, nowMs });
    this.status = status;
    this.#coding = hasBody ? (isChunked ? "chunked" : "plain") : "none";
    this.#connection.output.pushText(text);
  }

  flushHead(): void {
    this.#connection.output.schedule();
  }

  write(chunk: Buffer, framed?: Buffer): boolean {
    const { output } = this.#connection;
    if (this.#state !== "open" || this.#coding === "none" || chunk.length === 0) return true;
    if (this.#coding === "plain") output.push(chunk);
    else if (framed !== undefined) {
      this.#frameRun();
      output.push(framed);
    } else {
      this.#run.push(chunk);
      this.#runBytes += chunk.length;
    }
    output.schedule();
    this.#isHeldBack = output.unsentBytes + this.#runBytes > MAX_UNSENT_BYTES;
    return !this.#isHeldBack;
  }

  end(last?: Buffer | string, stallMs?: number): void {
    if (this.#state !== "open") return;
    if (last !== undefined && last.length > 0) {
      this.write(typeof last === "string" ? Buffer.from(last) : last);
    }
    this.#state = "ended";
    this.#stallMs = stallMs;
    this.#connection.output.schedule();
  }

  destroy(): void {
    if (this.#state === "closed" || this.#state === "cut") return;
    this.#state = "cut";
    // Bytes of this turn arrived before the failure, so the client gets them.
    this.#connection.output.schedule();
  }

  destroyConnection(): void {
    this.socket.destroy();
  }

  /** Adds the framing of this turn's data, before it is written. */
  completeTurn(): void {
    if (this.#coding !== "chunked") return;
    this.#frameRun();
    if (this.#state === "ended") this.#connection.output.push(LAST_CHUNK);
  }

  /** Called when the bytes of a turn are written. */
  onFlushed(): void {
    switch (this.#state) {
      case "open":
        this.onWritable();
        return;
      case "ended":
        if (this.#connection.output.unsentBytes === 0) this.#connection.onCallSent();
        else this.#waitUntilSent();
        return;
      case "cut":
        this.socket.destroy();
        return;
      case "closed":
    }
  }

  /** Called when the socket can take more bytes. */
  onWritable(): void {
    if (!this.#isHeldBack || this.#connection.output.unsentBytes > MAX_UNSENT_BYTES) return;
    this.#isHeldBack = false;
    this.onDrain?.();
  }

  /** Called once: the response was sent (`isWhole`), or the connection is closed. */
  close(isWhole: boolean): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    if (this.#stallTimer !== null) clearTimeout(this.#stallTimer);
    if (!isWhole) this.body.markGone();
    this.onClose?.(isWhole);
  }

  /** Makes one chunk of the data without framing. */
  #frameRun(): void {
    if (this.#runBytes === 0) return;
    const { output } = this.#connection;
    output.pushText(`${this.#runBytes.toString(16)}\r\n`);
    for (const part of this.#run) output.push(part);
    output.push(LINE_END);
    this.#run = [];
    this.#runBytes = 0;
  }

  #waitUntilSent(): void {
    const { socket } = this.#connection;
    socket.write(NO_BYTES, (error) => {
      if (!error && this.#state === "ended") this.#connection.onCallSent();
    });
    if (this.#stallMs === undefined) return;
    this.#stallTimer = setTimeout(() => socket.destroy(), this.#stallMs);
  }
}
