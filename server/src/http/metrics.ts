import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export interface Gauges {
  /** Requests of the Claude surface that are running. */
  inFlight: () => number;
  /** Ended requests that are not yet in PostgreSQL. */
  pendingRecords: () => number;
  /** Age of the oldest of them, in milliseconds. */
  oldestPendingMs: () => number;
  /** Space of the journal; null for one in the database. */
  journal: () => JournalSpace | null;
  /** Free space on the disk of the data folder, bytes. */
  diskFreeBytes: () => number;
  /** Since the change watch last heard from PostgreSQL, in milliseconds. */
  databaseSilenceMs: () => number;
  /** Of several that share one port: every line then says which process it speaks of. */
  process?: number;
  /** Requests that wait for budget which others hold. */
  waitingHolds: () => number;
  /** Organizations whose audit log is not as it was written. */
  brokenAuditLogs: () => number;
  /** The moment that the newest backup holds, milliseconds since the epoch; null where there is none. */
  newestBackupMs: () => number | null;
}

/** Bytes. */
interface JournalSpace {
  bytes: number;
  maxBytes: number | null;
  unflushedBytes: number;
}

interface ObservedRequest {
  status: number | null;
  outcome: string;
  durationMs: number;
}

export interface Metrics {
  observeRequest(request: ObservedRequest): void;
  observeHoldRefusal(reason: string): void;
  observeRateRefusal(refused: { kind: string; scope: string }): void;
  /** What a request has cost beyond its hold. */
  observeOverrun(nanoUsd: bigint): void;
  /** The Prometheus text of everything. */
  text(): Promise<string>;
  contentType: string;
}

// A Claude request takes from a tenth of a second to ten minutes.
const DURATION_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Counted together: in the middle of other work each takes 3 µs, one after the other 0.3 µs. */
const MAX_UNCOUNTED = 256;

/** Metrics of this process. Labels come from closed lists: never a key, a workspace, a model or a path. */
export function makeMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  if (gauges.process !== undefined) registry.setDefaultLabels({ process: String(gauges.process) });
  let uncounted: ObservedRequest[] = [];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "bursar_claude_requests_total",
    help: "Requests of the Claude surface that were answered, by status class and outcome.",
    labelNames: ["status", "outcome"],
    registers: [registry],
    collect: count,
  });
  const duration = new Histogram({
    name: "bursar_claude_request_duration_seconds",
    help: "From the request's first byte to the answer's last.",
    buckets: DURATION_BUCKETS_S,
    registers: [registry],
    collect: count,
  });
  const spend = makeSpendCounters(registry);
  makeGauges(registry, gauges);

  function count(): void {
    const counted = uncounted;
    uncounted = [];
    for (const { status, outcome, durationMs } of counted) {
      const statusClass = status === null ? "none" : `${Math.floor(status / 100)}xx`;
      requests.inc({ status: statusClass, outcome });
      duration.observe(durationMs / 1000);
    }
  }

  return {
    observeRequest(request) {
      uncounted.push(request);
      if (uncounted.length >= MAX_UNCOUNTED) count();
    },
    ...spend,
    observeRateRefusal: makeRateCounter(registry),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** What is read when somebody asks. */
function makeGauges(registry: Registry, gauges: Gauges): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge("bursar_claude_requests_in_flight", "Running requests.", gauges.inFlight);
  gauge(
    "bursar_pending_records",
    "Ended requests that are not yet in PostgreSQL.",
    gauges.pendingRecords,
  );
  gauge(
    "bursar_oldest_pending_record_seconds",
    "Age of the oldest pending record.",
    () => gauges.oldestPendingMs() / 1000,
  );
  if (gauges.journal() !== null) makeJournalGauges(gauge, gauges);
  gauge("bursar_disk_free_bytes", "Free space on the data folder's disk.", gauges.diskFreeBytes);
  gauge(
    "bursar_database_silence_seconds",
    "Since PostgreSQL last answered.",
    () => gauges.databaseSilenceMs() / 1000,
  );
  gauge(
    "bursar_broken_audit_logs",
    "Organizations whose audit log this node found changed; 0 is right.",
    gauges.brokenAuditLogs,
  );
  gauge(
    "bursar_last_backup_timestamp_seconds",
    "The moment that the newest backup holds, as Unix time; 0 where there is none.",
    () => (gauges.newestBackupMs() ?? 0) / 1000,
  );
  gauge(
    "bursar_holds_waiting",
    "Requests that wait for budget which running requests hold.",
    gauges.waitingHolds,
  );
}

function makeJournalGauges(
  gauge: (name: string, help: string, read: () => number) => void,
  { journal }: Gauges,
): void {
  gauge("bursar_journal_bytes", "Size of the journal.", () => journal()?.bytes ?? 0);
  gauge(
    "bursar_journal_max_bytes",
    "Cap of the journal, BURSAR_JOURNAL_MAX_SIZE divided among processes.",
    () => journal()?.maxBytes ?? 0,
  );
  gauge(
    "bursar_journal_unflushed_bytes",
    "Size of the journal's segments with records that are not yet in PostgreSQL. They stay at the cap.",
    () => journal()?.unflushedBytes ?? 0,
  );
}

/** Both labels come from closed lists of three words. */
function makeRateCounter(registry: Registry): Metrics["observeRateRefusal"] {
  const refusals = new Counter({
    name: "bursar_rate_limit_refusals_total",
    help: "Requests that rate limits refused, by what there was none of and by whose limit it was.",
    labelNames: ["kind", "scope"],
    registers: [registry],
  });
  return ({ kind, scope }) => refusals.inc({ kind, scope });
}

/** What strict limits refused, and what they could not hold. */
function makeSpendCounters(
  registry: Registry,
): Pick<Metrics, "observeHoldRefusal" | "observeOverrun"> {
  const holdRefusals = new Counter({
    name: "bursar_hold_refusals_total",
    help: "Requests that strict limits refused: spent, too_large, held, queue_full, queue_slow, unbounded, unavailable.",
    labelNames: ["reason"],
    registers: [registry],
  });
  const overruns = new Counter({
    name: "bursar_spend_overruns_total",
    help: "Requests that cost more than strict limits held for them.",
    registers: [registry],
  });
  const overrunUsd = new Counter({
    name: "bursar_spend_overrun_usd_total",
    help: "What they cost beyond that, in US dollars.",
    registers: [registry],
  });
  return {
    observeHoldRefusal: (reason) => holdRefusals.inc({ reason }),
    observeOverrun(nanoUsd) {
      overruns.inc();
      overrunUsd.inc(Number(nanoUsd) / 1e9);
    },
  };
}
