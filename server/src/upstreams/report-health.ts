import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Upstreams } from "./resolve-upstream.ts";
import { deleteOldHealth, saveNodeHealth } from "./upstream-health.sql.ts";

// Each node reports the health of the stored upstreams, so that every node can show all. A report is lost without harm.

const EVERY_MS = 5_000;
/** An unchanged report is repeated after this time, so that a node that is gone can be recognized. */
const REPEAT_MS = 60_000;
/** Older reports are of nodes that are gone. */
export const REPORT_TTL_MS = 3 * REPEAT_MS;

interface HealthReportsDeps {
  database: Database;
  upstreams: Pick<Upstreams, "listStored">;
  nodeId: string;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  logger: Logger;
}

export interface HealthReports {
  /** Reports what has changed. Never rejects. */
  report(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the reports of this node. */
export function startHealthReports(deps: HealthReportsDeps): HealthReports {
  /** Last report of each upstream, as text, with its time. */
  const reported = new Map<string, { text: string; atMs: number }>();
  let running: Promise<void> | null = null;

  async function reportAll(): Promise<void> {
    const nowMs = deps.nowMs();
    const stored = deps.upstreams.listStored();
    for (const { id, health } of stored) {
      const facts = health.facts();
      const text = JSON.stringify(facts);
      const last = reported.get(id);
      if (last?.text === text && nowMs - last.atMs < REPEAT_MS) continue;
      const report = { upstreamId: id, facts, reportedAt: new Date(nowMs) };
      await saveNodeHealth(deps.database, deps.nodeId, report);
      reported.set(id, { text, atMs: nowMs });
    }
    const known = new Set(stored.map(({ id }) => id));
    for (const id of reported.keys()) if (!known.has(id)) reported.delete(id);
    if (stored.length > 0) await deleteOldHealth(deps.database, new Date(nowMs - REPORT_TTL_MS));
  }

  function report(): Promise<void> {
    running ??= reportAll()
      .catch((error: unknown) => {
        deps.logger.warn({ err: error }, "the health of the upstreams could not be reported");
      })
      .finally(() => {
        running = null;
      });
    return running;
  }

  const timer = setInterval(() => void report(), EVERY_MS).unref();
  return {
    report,
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
