import { inTransaction } from "#src/db/transaction.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type AddedEvent, type AuditDeps, appendAuditEvent } from "./audited-transaction.ts";

// Refused calls. One event counts the refusals of a caller, a route, a reason and a minute. So a script that is refused a
// thousand times a second neither fills the log nor slows down the refusals.

export interface Denial {
  caller: Caller;
  origin: Origin;
  route: { operationId: string; method: string; path: string };
  /** Missing right, or a resource that the caller cannot see. */
  refusal: ApiError;
}

export interface DenialLog {
  /** Counts one refusal. Never waits, never throws. */
  record(denial: Denial): void;
  /** Writes all counted refusals, also of the running minute. */
  flush(): Promise<void>;
}

interface Counted extends Denial {
  count: number;
  firstAtMs: number;
  lastAtMs: number;
}

const MINUTE_MS = 60_000;
/** Most entries per minute and node. Further refusals share one entry per organization. */
const MAX_ENTRIES = 200;
const OTHER_ROUTES = { operationId: "other", method: "*", path: "*" };
const MANY_CALLERS = { type: "system", id: "many callers" };

export function makeDenialLog(deps: AuditDeps & { logger: Logger }): DenialLog {
  let counted = new Map<string, Counted>();

  function record(denial: Denial): void {
    const nowMs = deps.nowMs();
    const minute = Math.floor(nowMs / MINUTE_MS);
    const { caller, route, refusal } = denial;
    const makeKey = (...parts: unknown[]) =>
      JSON.stringify([minute, caller.organizationId, ...parts]);
    let key = makeKey(caller.kind, caller.id, route.operationId, refusal.status);
    let isOverflow = false;
    if (!counted.has(key) && counted.size >= MAX_ENTRIES) {
      key = makeKey("other");
      isOverflow = true;
    }
    const known = counted.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.lastAtMs = nowMs;
      return;
    }
    const entry = isOverflow ? { ...denial, route: OTHER_ROUTES } : denial;
    counted.set(key, { ...entry, count: 1, firstAtMs: nowMs, lastAtMs: nowMs });
  }

  async function flush(): Promise<void> {
    const batch = counted;
    counted = new Map();
    for (const [key, denial] of batch) {
      try {
        deps.onAudited(await write(deps, denial));
        batch.delete(key);
      } catch (error) {
        deps.logger.warn({ err: error }, "refusals could not be written to the audit log");
        requeue(batch);
        return;
      }
    }
  }

  /** Adds unwritten refusals to the next flush. */
  function requeue(unwritten: Map<string, Counted>): void {
    for (const [key, denial] of unwritten) {
      const since = counted.get(key);
      if (since === undefined && counted.size > MAX_ENTRIES) continue;
      const sum = since && { count: since.count + denial.count, lastAtMs: since.lastAtMs };
      counted.set(key, { ...denial, ...sum });
    }
  }

  return { record, flush };
}

/** Writes the event in its own transaction, because the refused call has none, or it was rolled back. */
function write(deps: AuditDeps, denial: Counted): Promise<AddedEvent> {
  const { caller, route } = denial;
  return inTransaction(deps.database, (tx) =>
    appendAuditEvent(tx, deps, {
      organizationId: caller.organizationId,
      actor: route === OTHER_ROUTES ? MANY_CALLERS : { type: caller.kind, id: caller.id },
      origin: denial.origin,
      entry: {
        event: "access.denied",
        subject: { type: "route", id: route.operationId },
        workspaceId: caller.kind === "api_key" ? caller.workspaceId : null,
        before: null,
        after: {
          method: route.method,
          path: route.path,
          reason: denial.refusal.status === 403 ? "permission" : "not_found",
          count: denial.count,
          first_at: new Date(denial.firstAtMs).toISOString(),
          last_at: new Date(denial.lastAtMs).toISOString(),
        },
      },
    }),
  );
}
