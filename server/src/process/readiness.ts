import type { Config } from "#src/config.ts";
import type { ChangeWatch } from "#src/db/change-watch.ts";
import type { Gateway } from "#src/gateway/handle-request.ts";
import type { Readiness } from "#src/http/pages.ts";
import type { Meter, MeterStatus } from "#src/recording/meter.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";

// Readiness is the ability to serve. A node without its database serves cached keys and leases for BURSAR_LEASE_TTL. A
// load balancer asks all nodes the same question, so an earlier "no" would remove every node at once.

/** Maximum silence of a reachable database, milliseconds. Ten polls of the change watch. */
const DATABASE_SILENCE_MS = 2_500;

export interface ReadinessFacts {
  isDraining: boolean;
  meter: Pick<MeterStatus, "isFenced" | "isJournalHealthy" | "journal">;
  /** Time since the database last responded, milliseconds. */
  databaseSilenceMs: number;
  /** BURSAR_LEASE_TTL. Cached keys are not used after a longer silence. */
  leaseTtlMs: number;
  /** True if leases have expired: every request would wait for the database. */
  hasLeaseExpired: boolean;
  /** BURSAR_JOURNAL. */
  journal: "disk" | "postgres";
}

interface ReadinessParts {
  config: Pick<Config, "journal" | "leaseTtlMs">;
  gateway: Pick<Gateway, "stats">;
  meter: Pick<Meter, "status">;
  leases: Pick<LeaseSync, "status">;
  watch: Pick<ChangeWatch, "msSinceContact">;
}

/** Collects the facts of a running node. */
export function checkReadiness(parts: ReadinessParts): Readiness {
  const { config, gateway, meter, leases, watch } = parts;
  return decideReadiness({
    isDraining: gateway.stats().isDraining,
    meter: meter.status(),
    databaseSilenceMs: watch.msSinceContact(),
    leaseTtlMs: config.leaseTtlMs,
    hasLeaseExpired: leases.status().isExpired,
    journal: config.journal,
  });
}

/** Decides whether this node should receive requests. */
export function decideReadiness(facts: ReadinessFacts): Readiness {
  const { isDraining, meter, journal } = facts;
  const database = describeDatabase(facts);
  const checks = {
    draining: isDraining ? "yes" : "no",
    database,
    journal: describeJournal(facts),
    leases: facts.hasLeaseExpired ? "expired" : "ok",
    node: meter.isFenced ? "fenced: another process has this node's id" : "ok",
  };
  if (isDraining) return { status: "not ready", reason: "draining", checks };
  if (meter.isFenced) return { status: "not ready", reason: "node_fenced", checks };
  if (!meter.isJournalHealthy) return { status: "not ready", reason: "journal_failed", checks };
  if (meter.journal?.isFull) return { status: "not ready", reason: "journal_full", checks };
  const isDatabaseThere = database === "ok";
  if (isDatabaseThere && !facts.hasLeaseExpired) return { status: "ready", reason: null, checks };
  if (isDatabaseThere) return { status: "not ready", reason: "leases_expired", checks };
  const canServe = database === "away" && !facts.hasLeaseExpired && journal === "disk";
  return { status: canServe ? "degraded" : "not ready", reason: "database_away", checks };
}

function describeDatabase({ databaseSilenceMs, leaseTtlMs }: ReadinessFacts): string {
  if (databaseSilenceMs > leaseTtlMs) return "away for longer than BURSAR_LEASE_TTL";
  return databaseSilenceMs > DATABASE_SILENCE_MS ? "away" : "ok";
}

function describeJournal({ meter }: ReadinessFacts): string {
  if (!meter.isJournalHealthy) return "cannot be written";
  return meter.journal?.isFull ? "full" : "ok";
}
