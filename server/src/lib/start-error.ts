/**
 * A start or a command failed for a reason that the operator can fix. The message states the fault and the remedy.
 * `main.ts` prints only the message, without a stack, and exits with 1.
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}

/** Returns the text that a failed process prints: the message of a StartError, the stack of others. */
export function explainFailure(error: unknown): string {
  if (error instanceof StartError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
