import type { BodyReader, ClientCall } from "#src/http1/client-call.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

/** The official request that a call of another form becomes. */
export interface OfficialRequest {
  method: string;
  target: string;
  fields: HeaderFields;
}

/**
 * A call of another form, which the gateway sees as an official one. A form translates the body (`adaptBody`) and the
 * response. All else is the call of the client.
 */
export abstract class AdaptedCall implements ClientCall {
  readonly method: string;
  readonly target: string;
  /** A form can change them when it translates the body. */
  fields: HeaderFields;
  /** The translated body has memory that other code can share. */
  readonly isBodyOwned = false;
  protected readonly inner: ClientCall;

  constructor(inner: ClientCall, official: OfficialRequest) {
    this.inner = inner;
    this.method = official.method;
    this.target = official.target;
    this.fields = official.fields;
  }

  abstract adaptBody(body: Buffer): Buffer;
  abstract readonly isHeadSent: boolean;
  abstract readonly status: number | null;
  abstract writeHead(status: number, headers: FieldLines): void;
  abstract flushHead(): void;
  abstract write(chunk: Buffer): boolean;
  abstract end(last?: Buffer | string, stallMs?: number): void;

  get socket(): ClientCall["socket"] {
    return this.inner.socket;
  }

  get isBodyHeldBack(): boolean {
    return this.inner.isBodyHeldBack;
  }

  get isBodyComplete(): boolean {
    return this.inner.isBodyComplete;
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
