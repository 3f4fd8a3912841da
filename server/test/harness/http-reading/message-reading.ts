// Results of reading one connection, in a form that the readers of `http1/` and their references share.

/** One message. Texts have one character for each byte. */
export interface ReadMessage {
  /** Method and target, or the status. */
  start: string;
  /** Flat list of names in lower case and trimmed values. */
  fields: readonly string[];
  body: string;
  /** True if the end of the body was found. */
  isComplete: boolean;
  /** Null if the reader does not report it. */
  isKeptAlive: boolean | null;
}

/** Messages of one connection in their order. */
export interface Reading {
  messages: ReadMessage[];
  /** Reason for which the reading stopped, or null if all bytes were read. */
  refusal: string | null;
}

/** Result of a reader of `http1/`. */
export interface OwnReading extends Reading {
  /**
   * `partial`: more bytes are needed. `other`: a head that is left to the reference. `invalid`: invalid chunks. `closed`: the
   * last message ends the connection.
   */
  ending: "partial" | "other" | "invalid" | "closed";
  /** Bytes from the begin of the head or body that was not read to its end. One character each. */
  unread: string;
}

/** True for requests that a server answers without their body, which is then dropped. */
export function isAnsweredEarly({ start }: Pick<ReadMessage, "start">): boolean {
  return start.startsWith("PUT ") || start.startsWith("PATCH ");
}
