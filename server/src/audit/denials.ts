import { inTransaction } from "#src/db/transaction.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type AddedEvent, type AuditDeps, appendAuditEvent } from "./audited-transaction.ts";

// Who was refused what. One event for each caller, route, reason and minute, with how often: a script that runs into a
// refusal a thousand times a second must neither fill the log nor slow the refusals down.

export interface Denial {
  caller: Caller;
  origin: Origin;
  route: { operationId: string; method: string; path: string };
  /** A right that is missing, or something that does not exist for this caller. */
  refusal: ApiError;
}

export interface DenialLog {
  /** Counts one. Never waits, never throws. */
  note(denial: Denial): void;
  /** Writes what was counted, whatever the minute. */
  flush(): Promise<void>;
}

interface Counted extends Denial {
  count: number;
  firstAtMs: number;
  lastAtMs: number;
}

const MINUTE_MS = 60_000;
/** Of one minute and node. What goes beyond is counted together, for each organization. */
const MAX_ENTRIES = 200;
const OTHER_ROUTES = { operationId: "other", method: "*", path: "*" };
const MANY = { type: "system", id: "many callers" };

export function makeDenialLog(deps: AuditDeps & { logger: Logger }): DenialLog {
  let counted = new Map<string, Counted>();

  function note(denial: Denial): void {
    const nowMs = deps.nowMs();
    const minute = Math.floor(nowMs / MINUTE_MS);
    const { caller, route, refusal } = denial;
    const keyOf = (...parts: unknown[]) =>
      JSON.stringify([minute, caller.organizationId, ...parts]);
    let key = keyOf(caller.kind, caller.id, route.operationId, refusal.status);
    let isOverflow = false;
    if (!counted.has(key) && counted.size >= MAX_ENTRIES) {
      key = keyOf("other");
      isOverflow = true;
    }
    const known = counted.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.lastAtMs = nowMs;
      return;
    }
    const what = isOverflow ? { ...denial, route: OTHER_ROUTES } : denial;
    counted.set(key, { ...what, count: 1, firstAtMs: nowMs, lastAtMs: nowMs });
  }

  async function flush(): Promise<void> {
    const taken = counted;
    counted = new Map();
    for (const [key, denial] of taken) {
      try {
        deps.onAudited(await write(deps, denial));
        taken.delete(key);
      } catch (error) {
        deps.logger.warn({ err: error }, "refusals could not be written to the audit log");
        putBack(taken);
        return;
      }
    }
  }

  /** Tried again with the next flush; what was counted since comes on top. */
  function putBack(left: Map<string, Counted>): void {
    for (const [key, denial] of left) {
      const since = counted.get(key);
      if (since === undefined && counted.size > MAX_ENTRIES) continue;
      const sum = since && { count: since.count + denial.count, lastAtMs: since.lastAtMs };
      counted.set(key, { ...denial, ...sum });
    }
  }

  return { note, flush };
}

/** In a transaction of its own: the refused one was rolled back, or never began. */
function write(deps: AuditDeps, denial: Counted): Promise<AddedEvent> {
  const { caller, route } = denial;
  return inTransaction(deps.database, (tx) =>
    appendAuditEvent(tx, deps, {
      organizationId: caller.organizationId,
      actor: route === OTHER_ROUTES ? MANY : { type: caller.kind, id: caller.id },
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
