// Answers that early.ts passes to api-client.ts, which is another program.

declare global {
  /** Answers by address. Undefined: in a document without this program. */
  var bursarEarly: Map<string, EarlyAnswer> | undefined;
}

/** An answer that was asked for before the console started. */
export interface EarlyAnswer {
  response: Promise<Response>;
  /** The received answer, so that the first drawing has it. Null: it has not arrived, or is a refusal. */
  received: { headers: Headers; body: unknown } | null;
}
