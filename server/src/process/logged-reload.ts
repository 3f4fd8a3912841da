import type { Logger } from "#src/lib/logger.ts";

/** Makes poll work fail alone. The next change or the next poll reads it again. */
export function makeLoggedReload(logger: Logger) {
  return (work: () => Promise<void>) => () => {
    work().catch((error: unknown) => logger.warn({ err: error }, "cannot read a change"));
  };
}
