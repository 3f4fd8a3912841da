import type { HttpCallController, HttpCallHandler, HttpRequest } from "#src/lib/http-client.ts";

/** The connection of a running call. */
interface CallConnection {
  pause(): void;
  resume(): void;
  /** Ends the connection and its call with this error. */
  fail(reason: Error): void;
}

/** One request and its handler. Controls its connection while the request runs, and no other request on it. */
export class UpstreamCall implements HttpCallController {
  readonly method: HttpRequest["method"];
  readonly handler: HttpCallHandler;
  /** Head of the request with its empty line, latin1. */
  readonly head: string;
  /** Maximum silence before the response's headers, milliseconds. */
  readonly headersTimeoutMs: number;
  /** The memory of the body can be freed. */
  readonly ownsBody: boolean;
  /** Null after `takeBody`. */
  #body: Buffer | null;
  /** Set while the request runs. */
  connection: CallConnection | null = null;

  constructor(
    request: HttpRequest,
    handler: HttpCallHandler,
    written: { head: string; headersTimeoutMs: number },
  ) {
    this.method = request.method;
    this.handler = handler;
    this.head = written.head;
    this.headersTimeoutMs = written.headersTimeoutMs;
    this.ownsBody = request.ownsBody === true;
    this.#body = request.body;
  }

  /** Returns the body once, so that only the writer keeps it in memory. */
  takeBody(): Buffer | null {
    const body = this.#body;
    this.#body = null;
    return body;
  }

  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  abort(reason: Error): void {
    this.connection?.fail(reason);
  }
}
