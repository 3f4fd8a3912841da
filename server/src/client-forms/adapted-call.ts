import type { ClientCall } from "#src/http1/client-call.ts";
import { WrappedCall } from "./wrapped-call.ts";

/**
 * A call of another form, which the gateway sees as an official one. A form converts the body (`adaptBody`) and the
 * response. All else is the call of the client.
 */
export abstract class AdaptedCall extends WrappedCall implements ClientCall {
  /** The converted body has memory that other code can share. */
  readonly isBodyOwned = false;

  abstract adaptBody(body: Buffer): Buffer;
}
