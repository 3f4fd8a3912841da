import { ApiError } from "#src/domain/api-error.ts";
import { isDoneWithin } from "#src/lib/is-done-within.ts";

/** Delays new audit events after a failover, until the log records it. */
export interface FailoverGate {
  /** Closes the gate. Call before the first statement on the promoted database. */
  close(): void;
  open(): void;
  /** Resolves while the gate is open. Throws a 503 if it stays closed for too long. */
  pass(): Promise<void>;
}

/** Shorter than the time after which PostgreSQL ends an idle transaction, because an audited change waits in one. */
const MAX_WAIT_MS = 3_000;

export function makeFailoverGate(): FailoverGate {
  let closed: PromiseWithResolvers<void> | null = null;
  return {
    close: () => {
      closed ??= Promise.withResolvers<void>();
    },
    open: () => {
      closed?.resolve();
      closed = null;
    },
    pass: async () => {
      if (closed === null) return;
      if (!(await isDoneWithin(MAX_WAIT_MS, closed.promise))) throw makeClosedError();
    },
  };
}

function makeClosedError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The database has failed over, and this server compares its audit log. Retry in a moment.",
    { "retry-after": "1" },
  );
}
