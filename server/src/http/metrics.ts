import type { ErrorCode } from "@bursar/contract/errors.ts";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { addRuntimeMetrics } from "./event-loop-metrics.ts";

export interface Gauges {
  /** Requests of the Claude surface that are running. */
  inFlight: () => number;
  /** Ended requests that are not yet in PostgreSQL. */
  pendingRecords: () => number;
  /** Age of the oldest pending record, milliseconds. */
  oldestPendingMs: () => number;
  /** Age of the oldest batch that no fold has counted, milliseconds. */
  foldLagMs: () => number;
  /** Time since the end of the oldest hour that is over and not closed, milliseconds. 0: none. */
  closingLagMs: () => number;
  /** Space of the journal. Null: the journal is in the database. */
  journal: () => JournalSpace | null;
  /** Free space on the disk of the data folder, bytes. */
  diskFreeBytes: () => number;
  /** Time since the change watch last reached PostgreSQL, milliseconds. */
  databaseSilenceMs: () => number;
  /** Number of this process, if several share one port. Becomes a label of every line. */
  process?: number;
  /** Requests that wait for held budget. */
  waitingHolds: () => number;
  /** Running streams that are held in steps: their number, their holds, and those that wait for a larger one. */
  streamHolds: () => { streams: number; nanoUsd: bigint; waiting: number };
  /** Number of the database's incarnation. Each failover raises it. */
  incarnation: () => number;
  /** Failovers since the start of the process. */
  failovers: () => number;
  /** Organizations whose audit log was changed. */
  brokenAuditLogs: () => number;
  /** Keys, roles and sessions that were refused because they lack a valid MAC. */
  unsignedRows: () => number;
  /** Snapshot time of the newest backup, milliseconds since the epoch. Null: no backup. */
  newestBackupMs: () => number | null;
  /** Replica of reports. Null: none is configured. */
  reports: () => ReplicaUse | null;
}

interface ReplicaUse {
  /** Null: the replica is in use. */
  fault: string | null;
  lagMs: number | null;
  retries: number;
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
  /** Counts an error that the gateway itself sends. Measured: 0.1 µs. */
  observeRefusal(errorCode: ErrorCode): void;
  /** Counts a refusal by a share. `scope`: type of the owner. Measured: 0.1 µs. */
  observeShareRefusal(kind: string, scope: string): void;
  /** Records the cost of a request beyond its hold. */
  observeOverrun(nanoUsd: bigint): void;
  observeDoubt(doubt: string): void;
  /** Counts a stream that a spend limit ended. */
  observeCut(reason: string): void;
  /** Counts steps of streams: `granted` at once, or `waiting` for budget. */
  observeStep(outcome: "granted" | "waiting"): void;
  /** Counts a model or tool that this process holds whole from now on. */
  observeFasterStream(kind: string): void;
  /** Counts one export of telemetry by its outcome. */
  observeTelemetry(outcome: string): void;
  /** Prometheus text of all metrics. */
  text(): Promise<string>;
  contentType: string;
}

// A Claude request takes from a tenth of a second to ten minutes.
const DURATION_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Requests counted in one batch: one takes 3 µs alone, and 0.3 µs in a batch. */
const MAX_UNCOUNTED = 256;

/** Creates the metrics of this process. Labels have closed lists of values: never a key, workspace, model or path. */
export function makeMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  if (gauges.process !== undefined) registry.setDefaultLabels({ process: String(gauges.process) });
  let uncounted: ObservedRequest[] = [];
  addRuntimeMetrics(registry);
  const requests = new Counter({
    name: "bursar_claude_requests_total",
    help: "Ended requests of the Claude API, by status class and outcome.",
    labelNames: ["status", "outcome"],
    registers: [registry],
    collect: countRequests,
  });
  const duration = new Histogram({
    name: "bursar_claude_request_duration_seconds",
    help: "Time from the first byte of the request to the last byte of the response.",
    buckets: DURATION_BUCKETS_S,
    registers: [registry],
    collect: countRequests,
  });
  const spend = makeSpendCounters(registry);
  makeGauges(registry, gauges);

  function countRequests(): void {
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
      if (uncounted.length >= MAX_UNCOUNTED) countRequests();
    },
    ...spend,
    observeFasterStream: makeFasterCounter(registry),
    observeRateRefusal: makeRateCounter(registry),
    observeRefusal: makeRefusalCounter(registry),
    observeShareRefusal: makeShareCounter(registry),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** Adds metrics that are read at each scrape. */
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
  gauge(
    "bursar_fold_lag_seconds",
    "Age of the oldest requests that no fold has counted.",
    () => gauges.foldLagMs() / 1000,
  );
  gauge(
    "bursar_hour_closing_lag_seconds",
    "Time since the end of the oldest hour that is over and not closed. Up to seven minutes is usual.",
    () => gauges.closingLagMs() / 1000,
  );
  if (gauges.journal() !== null) makeJournalGauges(gauge, gauges);
  if (gauges.reports() !== null) makeReportMetrics(registry, gauge, gauges);
  gauge("bursar_disk_free_bytes", "Free space on the data folder's disk.", gauges.diskFreeBytes);
  gauge(
    "bursar_database_silence_seconds",
    "Time since PostgreSQL last responded.",
    () => gauges.databaseSilenceMs() / 1000,
  );
  gauge(
    "bursar_incarnation",
    "Number of the database's life. A failover raises it.",
    gauges.incarnation,
  );
  gauge("bursar_failovers", "Failovers since the start of the process.", gauges.failovers);
  gauge(
    "bursar_broken_audit_logs",
    "Organizations whose audit log failed verification on this node. 0 is correct.",
    gauges.brokenAuditLogs,
  );
  gauge(
    "bursar_unsigned_rows_refused",
    "Uses of keys, roles and sessions without a valid MAC, refused since the start of this process. 0 is correct.",
    gauges.unsignedRows,
  );
  gauge(
    "bursar_last_backup_timestamp_seconds",
    "Snapshot time of the newest backup, Unix time. 0 without a backup.",
    () => (gauges.newestBackupMs() ?? 0) / 1000,
  );
  gauge("bursar_holds_waiting", "Requests that wait for budget.", gauges.waitingHolds);
  makeStreamGauges(gauge, gauges);
}

function makeStreamGauges(
  gauge: (name: string, help: string, read: () => number) => void,
  { streamHolds }: Gauges,
): void {
  gauge(
    "bursar_streams_in_steps",
    "Running streams that limits hold in steps.",
    () => streamHolds().streams,
  );
  gauge(
    "bursar_stream_hold_usd",
    "Budget that these streams hold now, each once, US dollars.",
    () => Number(streamHolds().nanoUsd) / 1e9,
  );
  gauge(
    "bursar_stream_steps_waiting",
    "Streams that wait for budget of their next step.",
    () => streamHolds().waiting,
  );
}

function makeReportMetrics(
  registry: Registry,
  gauge: (name: string, help: string, read: () => number) => void,
  { reports }: Gauges,
): void {
  gauge(
    "bursar_reports_lag_seconds",
    "Lag of the replica of reports. NaN: unknown.",
    () => (reports()?.lagMs ?? Number.NaN) / 1000,
  );
  gauge(
    "bursar_reports_replica_in_use",
    "1 if reports are read from the replica, 0 if from the primary.",
    () => (reports()?.fault === null ? 1 : 0),
  );
  new Counter({
    name: "bursar_reports_retries_total",
    help: "Reports that the replica failed, and that the primary read again.",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(reports()?.retries ?? 0);
    },
  });
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

/** Counts by codes of the closed list. They are added to the counter at each scrape, because an increment takes 1 µs. */
function makeRefusalCounter(registry: Registry): Metrics["observeRefusal"] {
  const uncounted = new Map<ErrorCode, number>();
  new Counter({
    name: "bursar_refusals_total",
    help: "Requests of the Claude API that this server itself answered with an error, by error code.",
    labelNames: ["error_code"],
    registers: [registry],
    collect() {
      for (const [error_code, requests] of uncounted) this.inc({ error_code }, requests);
      uncounted.clear();
    },
  });
  return (errorCode) => void uncounted.set(errorCode, (uncounted.get(errorCode) ?? 0) + 1);
}

/** Both labels have closed lists. Counts are added at each scrape, because an increment takes 1 µs. */
function makeShareCounter(registry: Registry): Metrics["observeShareRefusal"] {
  const uncounted = new Map<string, { kind: string; scope: string; requests: number }>();
  new Counter({
    name: "bursar_share_refusals_total",
    help:
      "Requests of the Claude API refused by shares, by kind (running_requests, body_bytes, key_lookups) and owner " +
      "(workspace, api_key, address).",
    labelNames: ["kind", "scope"],
    registers: [registry],
    collect() {
      for (const { kind, scope, requests } of uncounted.values()) {
        this.inc({ kind, scope }, requests);
      }
      uncounted.clear();
    },
  });
  return (kind, scope) => {
    const counted = uncounted.get(kind + scope) ?? { kind, scope, requests: 0 };
    counted.requests += 1;
    uncounted.set(kind + scope, counted);
  };
}

/** Both labels have closed lists of three values. */
function makeRateCounter(registry: Registry): Metrics["observeRateRefusal"] {
  const refusals = new Counter({
    name: "bursar_rate_limit_refusals_total",
    help: "Requests refused by rate limits, by kind and scope of the limit.",
    labelNames: ["kind", "scope"],
    registers: [registry],
  });
  return ({ kind, scope }) => refusals.inc({ kind, scope });
}

function makeFasterCounter(registry: Registry): Metrics["observeFasterStream"] {
  const faster = new Counter({
    name: "bursar_streams_faster_total",
    help: "Models that were faster than their speed, and tools with larger results than their figure. This process holds them whole.",
    labelNames: ["kind"],
    registers: [registry],
  });
  return (kind) => faster.inc({ kind });
}

/** Adds counters for refusals of strict limits, overruns, doubtful costs, and streams held in steps. */
function makeSpendCounters(
  registry: Registry,
): Pick<
  Metrics,
  | "observeHoldRefusal"
  | "observeOverrun"
  | "observeDoubt"
  | "observeCut"
  | "observeStep"
  | "observeTelemetry"
> {
  const holdRefusals = new Counter({
    name: "bursar_hold_refusals_total",
    help: "Requests refused by strict limits: spent, too_large, held, queue_full, queue_slow, uncounted, unbounded, unknown_features, unavailable.",
    labelNames: ["reason"],
    registers: [registry],
  });
  const overruns = new Counter({
    name: "bursar_spend_overruns_total",
    help: "Requests that cost more than their hold.",
    registers: [registry],
  });
  const overrunUsd = new Counter({
    name: "bursar_spend_overrun_usd_total",
    help: "Cost beyond the holds, US dollars.",
    registers: [registry],
  });
  const doubts = new Counter({
    name: "bursar_doubtful_requests_total",
    help: "Requests with a doubtful cost: impossible_usage, missing_usage, incomplete_usage.",
    labelNames: ["doubt"],
    registers: [registry],
  });
  const cuts = new Counter({
    name: "bursar_stream_cuts_total",
    help: "Streams that a spend limit ended: limit_spent, limit_held, database_unavailable.",
    labelNames: ["reason"],
    registers: [registry],
  });
  const steps = new Counter({
    name: "bursar_stream_steps_total",
    help: "Steps of streams that were held in steps: granted at once, or waiting for budget.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  const exports = new Counter({
    name: "bursar_telemetry_exports_total",
    help: "Exports of telemetry by laptops, for each receiver: relayed, queue_full, invalid, failed.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return {
    observeTelemetry: (outcome) => exports.inc({ outcome }),
    observeDoubt: (doubt) => doubts.inc({ doubt }),
    observeCut: (reason) => cuts.inc({ reason }),
    observeStep: (outcome) => steps.inc({ outcome }),
    observeHoldRefusal: (reason) => holdRefusals.inc({ reason }),
    observeOverrun(nanoUsd) {
      overruns.inc();
      overrunUsd.inc(Number(nanoUsd) / 1e9);
    },
  };
}
