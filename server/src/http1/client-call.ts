import type { Socket } from "node:net";
import type { FieldLines } from "#src/lib/field-lines.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

/** Time for which an idle connection stays open, seconds. Longer than in common load balancers, so that they close first. */
export const KEEP_ALIVE_SECONDS = 75;

/** One request of a client and its response. `node-call.ts` has it over node:http. */
export interface ClientCall {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly fields: HeaderFields;
  readonly socket: Pick<Socket, "remoteAddress">;
  /** Page of another origin that sends the request. Null: no page does. */
  readonly page: CallingPage | null;

  /** The client waits for a 100 before it sends its body. */
  readonly isBodyHeldBack: boolean;
  /** The body has arrived to its end. */
  readonly isBodyComplete: boolean;
  /** Sends the 100 for which the client waits. */
  sendContinue(): void;
  /**
   * Converts the whole body to the official form. Null: the body is in that form. Throws the refusal of a body that cannot be
   * converted.
   */
  readonly adaptBody: ((body: Buffer) => Buffer) | null;
  /** No other code uses the memory of the body, so that its reader may free it. */
  readonly isBodyOwned: boolean;
  /** Returns the whole body if it has arrived. Null: `readBody` reads it. */
  takeBody(): Buffer | null;
  /** Reads the body from the current position. A later reader replaces an earlier one. */
  readBody(reader: BodyReader): void;
  /** Stops the reader. The client can then send only as much as the buffers hold. */
  pauseBody(): void;

  /** The client can no longer get a response. */
  readonly isGone: boolean;
  readonly isHeadSent: boolean;
  /** Status of the sent head. Null: no head was sent. */
  readonly status: number | null;
  /** Closes the connection after this response. */
  closeAfterwards(): void;
  /** Writes the head, which leaves with the next bytes. */
  writeHead(status: number, headers: FieldLines): void;
  /** Sends the head at the end of this turn, also if no bytes of the body follow. */
  flushHead(): void;
  /**
   * Writes bytes of the body. False: the buffers are full, and `onDrain` is called later. `framed` has the same bytes in
   * whole chunks of the chunked coding.
   */
  write(chunk: Buffer, framed?: Buffer): boolean;
  /** Ends the response. A client that does not read the rest within `stallMs` is disconnected. */
  end(last?: Buffer | string, stallMs?: number): void;
  /** Ends the response before its end, so that the client notices. */
  destroy(): void;
  /** Closes the connection at once. */
  destroyConnection(): void;

  /** Called once, when the last byte is sent (`isWhole`) or the client is gone. */
  onClose: ((isWhole: boolean) => void) | null;
  /** Called when the buffers are empty again after a `write` that returned false. */
  onDrain: (() => void) | null;
}

/** A page in a browser that sends a request. */
export interface CallingPage {
  origin: string;
  /** The client states that it knows the risk of a key in a page, as the official API wants it. */
  isDirectStated: boolean;
}

/** Receives the body of a request. Exactly one of `onEnd` and `onGone` comes last. */
export interface BodyReader {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** The client has left. */
  onGone(): void;
}
