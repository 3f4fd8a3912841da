import type { BodyReader, ClientCall } from "#src/http1/client-call.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

/** The request that the gateway sees. */
export interface SeenRequest {
  method: string;
  target: string;
  fields: HeaderFields;
}

/** The parts that a call shares with the client's call: its connection, and the bytes of its body. */
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
