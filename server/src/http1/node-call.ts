import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FieldLines } from "#src/lib/field-lines.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import type { BodyReader, ClientCall } from "./client-call.ts";
import { isConnectionBusy, waitForConnection } from "./wait-for-connection.ts";

/**
 * Serves one request of a node:http server. Calls `handle` when earlier requests on the connection have ended, and not at
 * all if the client leaves before. `isBodyHeldBack`: the request came as `checkContinue`.
 */
export function serveNodeRequest(
  request: IncomingMessage,
  response: ServerResponse,
  isBodyHeldBack: boolean,
  handle: (call: ClientCall) => void,
): void {
  if (!isConnectionBusy(response)) {
    handle(new NodeCall(request, response, isBodyHeldBack));
    return;
  }
  void waitForConnection(request, response).then((isTurn) => {
    if (isTurn) handle(new NodeCall(request, response, isBodyHeldBack));
  });
}

/** A request and its response over node:http. */
class NodeCall implements ClientCall {
  readonly method: string;
  readonly target: string;
  readonly isBodyOwned = false;
  readonly adaptBody = null;
  readonly page = null;
  onClose: ((isWhole: boolean) => void) | null = null;
  #fields: HeaderFields | null = null;
  #isBodyHeldBack: boolean;
  #onDrain: (() => void) | null = null;
  #reading: { reader: BodyReader; stop: () => void } | null = null;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse, isBodyHeldBack: boolean) {
    this.#request = request;
    this.#response = response;
    this.#isBodyHeldBack = isBodyHeldBack;
    this.method = request.method ?? "";
    this.target = request.url ?? "";
    response.on("close", () => this.onClose?.(response.writableFinished));
    // A response without a client may still be written. The "close" event has handled the failure.
    response.on("error", ignore);
    // The same for its request, which has a reader only for a part of its life.
    request.on("error", ignore);
  }

  get fields(): HeaderFields {
    this.#fields ??= HeaderFields.fromList(this.#request.rawHeaders);
    return this.#fields;
  }

  get socket(): Socket {
    return this.#request.socket;
  }

  get isBodyHeldBack(): boolean {
    return this.#isBodyHeldBack;
  }

  get isBodyComplete(): boolean {
    return this.#request.complete;
  }

  get isGone(): boolean {
    return this.#response.destroyed || this.#request.socket.destroyed;
  }

  get isHeadSent(): boolean {
    return this.#response.headersSent;
  }

  get status(): number | null {
    return this.#response.headersSent ? this.#response.statusCode : null;
  }

  get onDrain(): (() => void) | null {
    return this.#onDrain;
  }

  set onDrain(listener: (() => void) | null) {
    if (this.#onDrain !== null) this.#response.off("drain", this.#onDrain);
    if (listener !== null) this.#response.on("drain", listener);
    this.#onDrain = listener;
  }

  sendContinue(): void {
    this.#isBodyHeldBack = false;
    this.#response.writeContinue();
  }

  takeBody(): null {
    return null;
  }

  readBody(reader: BodyReader): void {
    const request = this.#request;
    this.#reading?.stop();
    const onData = (chunk: Buffer): void => reader.onData(chunk);
    const stop = (): void => {
      this.#reading = null;
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onGone);
      request.off("error", onGone);
    };
    const onEnd = (): void => {
      stop();
      reader.onEnd();
    };
    const onGone = (): void => {
      stop();
      reader.onGone();
    };
    this.#reading = { reader, stop };
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("close", onGone);
    request.on("error", onGone);
    request.resume();
  }

  pauseBody(): void {
    this.#reading?.stop();
    this.#request.pause();
  }

  closeAfterwards(): void {
    const response = this.#response;
    if (response.headersSent) response.once("finish", () => this.socket.destroySoon());
    else response.shouldKeepAlive = false;
  }

  writeHead(status: number, headers: FieldLines): void {
    this.#response.writeHead(status, headers.toList());
  }

  flushHead(): void {
    // A first chunk in the same tick is still sent together with the head.
    process.nextTick(flushHeaders, this.#response);
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  end(last?: Buffer | string, stallMs?: number): void {
    const response = this.#response;
    response.end(last);
    if (stallMs === undefined || response.writableLength === 0) return;
    const timer = setTimeout(() => response.destroy(), stallMs);
    response.once("close", () => clearTimeout(timer));
  }

  destroy(): void {
    this.#response.destroy();
  }

  destroyConnection(): void {
    this.#request.socket.destroy();
  }
}

function flushHeaders(response: ServerResponse): void {
  if (!response.destroyed) response.flushHeaders();
}

function ignore(): void {}
