/**
 * The process cannot start, or a command cannot run, for a reason that its operator can mend. The message says what is
 * wrong and what to do; `main.ts` prints it alone, without a stack, and exits with 1.
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}
