import type { BodyReader, ClientCall } from "#src/http1/client-call.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

/** The request that the gateway sees. */
export interface SeenRequest {
  method: string;
  target: string;
  fields: HeaderFields;
}

/** A call that passes everything to the client's call. A form overrides what it converts. */
export abstract class WrappedCall {
  readonly method: string;
  readonly target: string;
  /** A form can change them when it converts the body. */
  fields: HeaderFields;
  protected readonly inner: ClientCall;

  constructor(inner: ClientCall, seen: SeenRequest) {
    this.inner = inner;
    this.method = seen.method;
    this.target = seen.target;
    this.fields = seen.fields;
  }

  get socket(): ClientCall["socket"] {
    return this.inner.socket;
  }

  get page(): ClientCall["page"] {
    return this.inner.page;
  }

  get isBodyHeldBack(): boolean {
    return this.inner.isBodyHeldBack;
  }

  get isBodyComplete(): boolean {
    return this.inner.isBodyComplete;
  }

  get isHeadSent(): boolean {
    return this.inner.isHeadSent;
  }

  get status(): number | null {
    return this.inner.status;
  }

  get isGone(): boolean {
    return this.inner.isGone;
  }

  get onClose(): ClientCall["onClose"] {
    return this.inner.onClose;
  }

  set onClose(listener: ClientCall["onClose"]) {
    this.inner.onClose = listener;
  }

  get onDrain(): ClientCall["onDrain"] {
    return this.inner.onDrain;
  }

  set onDrain(listener: ClientCall["onDrain"]) {
    this.inner.onDrain = listener;
  }

  sendContinue(): void {
    this.inner.sendContinue();
  }

  takeBody(): Buffer | null {
    return this.inner.takeBody();
  }

  readBody(reader: BodyReader): void {
    this.inner.readBody(reader);
  }

  pauseBody(): void {
    this.inner.pauseBody();
  }

  writeHead(status: number, headers: FieldLines): void {
    this.inner.writeHead(status, headers);
  }

  flushHead(): void {
    this.inner.flushHead();
  }

  write(chunk: Buffer, framed?: Buffer): boolean {
    return this.inner.write(chunk, framed);
  }

  end(last?: Buffer | string, stallMs?: number): void {
    this.inner.end(last, stallMs);
  }

  closeAfterwards(): void {
    this.inner.closeAfterwards();
  }

  destroy(): void {
    this.inner.destroy();
  }

  destroyConnection(): void {
    this.inner.destroyConnection();
  }
}
