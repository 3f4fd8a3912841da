import type { ChangeWatch } from "./db/change-watch.ts";
import type { Gateway } from "./gateway/handle-request.ts";
import type { Readiness } from "./http/pages.ts";
import type { Meter } from "./metering/meter.ts";

interface ReadinessParts {
  watch: ChangeWatch;
  meter: Meter;
  gateway: Gateway;
  /** Longest silence of a database that still counts as reachable, milliseconds. */
  databaseSilenceMs: number;
}

/** Tells whether this node should get requests now. */
export function checkReadiness(parts: ReadinessParts): Readiness {
  const meter = parts.meter.status();
  const isDatabaseThere = parts.watch.msSinceContact() <= parts.databaseSilenceMs;
  const { isDraining } = parts.gateway.stats();
  const checks = {
    draining: isDraining ? "yes" : "no",
    database: isDatabaseThere ? "ok" : "does not answer",
    journal: meter.isJournalHealthy ? "ok" : "cannot be written",
    node: meter.isFenced ? "another process has taken this node's id" : "ok",
  };
  const isReady = !isDraining && isDatabaseThere && meter.isJournalHealthy && !meter.isFenced;
  return { isReady, checks };
}
