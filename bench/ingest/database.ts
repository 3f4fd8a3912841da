import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import type { Call } from "../../server/src/access/call.ts";
import { readPrimary } from "../../server/src/db/reports-database.ts";
import type { OwnStorage } from "../../server/src/db/storage.ts";
import { type CoreSplit, pinProcesses } from "../cores.ts";
import { historySettings, makeScopes, openForHistory } from "../history.ts";
import { monotonicMs } from "../monotonic.ts";
import { treeCpuMicros } from "../proc.ts";
import { getKey, MEMBERS, WORKSPACES } from "./company.ts";
import type { Limits } from "./options.ts";
import {
  type DatabaseModules,
  loadDatabaseModules,
  loadHistoryModules,
  loadReportModules,
} from "./product.ts";

const ORGANIZATION = "Bench";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Limits are never reached, but always checked. */
const LIMIT_USD = 1_000_000;
const HISTORY_DAYS = 90;
/** Keys of the company. Each case uses the first of them. */
const MOST_KEYS = 10_000;

/** Settled requests and written log at one time. */
export interface Sample {
  /** Monotonic milliseconds. */
  atMs: number;
  /** Settled spend of the organization, nano-USD. */
  settledNanoUsd: number;
  walBytes: number;
}

/** The database of one checkout, with the settings of the product, and the product's use cases on it. */
export class BenchDatabase {
  readonly folder: string;
  readonly organizationId: string;
  readonly #modules: DatabaseModules;
  readonly #storage: OwnStorage;
  readonly #source: string;

  constructor(opened: {
    source: string;
    modules: DatabaseModules;
    storage: OwnStorage;
    organizationId: string;
  }) {
    this.folder = opened.storage.folder;
    this.organizationId = opened.organizationId;
    this.#source = opened.source;
    this.#modules = opened.modules;
    this.#storage = opened.storage;
  }

  get connectionString(): string {
    return this.#storage.place.connectionString;
  }

  /** CPU time of PostgreSQL with all its processes, microseconds. */
  cpuMicros(): number {
    const file = join(this.folder, "postgres", "postmaster.pid");
    return treeCpuMicros(Number.parseInt(readFileSync(file, "utf8"), 10));
  }

  async sample(): Promise<Sample> {
    const { rows } = await sql<{ settled: number; wal: number }>`
      SELECT coalesce(sum(settled_nano_usd), 0)::float8 AS settled,
        pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS wal
      FROM balance WHERE scope_type = 'organization' AND period = 'monthly'`.execute(
      this.#storage.database,
    );
    const [row] = rows;
    return { atMs: monotonicMs(), settledNanoUsd: row?.settled ?? 0, walBytes: row?.wal ?? 0 };
  }

  /** Requests that the usage report shows, of the last day and `hours` before. */
  async countReported(hours: number): Promise<number> {
    const startMs = Math.floor((Date.now() - hours * HOUR_MS) / DAY_MS - 1) * DAY_MS;
    const report = await this.#readUsage({
      starting_at: new Date(startMs).toISOString(),
      bucket: "none",
    });
    return Number(report.totals.requests);
  }

  /** Requests of each key in the report of its last 30 days, by key id. */
  async countByKey(keys: readonly string[]): Promise<Map<string, number>> {
    const report = await this.#readUsage({
      starting_at: new Date(Date.now() - 29 * DAY_MS).toISOString(),
      bucket: "1d",
      api_key_id: [...keys],
      group_by: ["api_key"],
    });
    const counts = new Map<string, number>(keys.map((key) => [key, 0]));
    for (const row of report.rows) {
      const key = row.api_key_id ?? "";
      counts.set(key, (counts.get(key) ?? 0) + Number(row.requests));
    }
    return counts;
  }

  #readUsage(query: Omit<Parameters<DatabaseModules["getUsage"]>[2], "limit">) {
    const deps = { database: this.#storage.adminDatabase, nowMs: () => Date.now() };
    // Checkouts of older versions read `database`.
    const reader = readPrimary({ primary: deps.database, nowMs: deps.nowMs });
    const call = { ...makeCall(this.organizationId), reader };
    return this.#modules.getUsage(deps, call, { ...query, limit: 1_000 });
  }

  /** Reports whose name contains `only`. */
  async listReports(only: string): Promise<{ name: string; run: () => Promise<unknown> }[]> {
    const { listCases } = await loadReportModules(this.#source);
    return listCases(this.organizationId)
      .filter(({ name }) => name.includes(only))
      .map(({ name, run }) => ({ name, run: () => run(this.#storage.adminDatabase) }));
  }

  /** Sets the organization's soft limit, and a strict one for each of the first `keys` keys or their workspaces. */
  async setLimits(limits: Limits, keys: number): Promise<void> {
    const scopes =
      limits === "none"
        ? []
        : Array.from({ length: keys }, (_, index) => {
            const { apiKeyId, workspaceId } = getKey(index);
            return limits === "keys" ? apiKeyId : workspaceId;
          });
    await this.#withAuditLog(async (deps) => {
      await this.#modules.setSpendLimit(deps, makeCall(this.organizationId), {
        scope: { type: "organization" },
        period: "monthly",
        limit_usd: LIMIT_USD,
        enforcement: "soft",
        open_ended_hold_usd: null,
        unknown_features: "hold",
      });
      for (const id of new Set(scopes)) {
        await this.#modules.setSpendLimit(deps, makeCall(this.organizationId), {
          scope:
            limits === "keys"
              ? { type: "api_key", api_key_id: id }
              : { type: "workspace", workspace_id: id },
          period: "monthly",
          limit_usd: LIMIT_USD,
          enforcement: "strict",
          open_ended_hold_usd: null,
          unknown_features: "hold",
        });
      }
    });
  }

  /** Opens the hours of the requests to come, as if each was recorded in its own hour. */
  async openPastHours(hours: number): Promise<void> {
    if (this.#modules.closing === null) return;
    const startMs = Math.floor(Date.now() / HOUR_MS - hours - 1) * HOUR_MS;
    await sql`UPDATE rollup_progress SET hour_at = ${new Date(startMs)}`.execute(
      this.#storage.database,
    );
  }

  /** Closes all hours but the running one. */
  async closePastHours(): Promise<void> {
    const endMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    await this.#modules.closing?.closeHoursBefore(this.#storage.adminDatabase, endMs, {
      maxSteps: Number.POSITIVE_INFINITY,
    });
  }

  /** Sizes of all tables with their indexes after a VACUUM, by name. Bytes. */
  async measureSizes(): Promise<Map<string, number>> {
    const database = await openForHistory(this.connectionString);
    await sql`VACUUM`.execute(database);
    const { rows } = await sql<{ name: string; bytes: number }>`
      SELECT relname::text AS name, pg_total_relation_size(c.oid)::float8 AS bytes
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`.execute(
      database,
    );
    await database.destroy();
    return new Map(rows.map(({ name, bytes }) => [name, bytes]));
  }

  /** Returns a description of each sum that does not agree with its events. */
  async listProblems(): Promise<string[]> {
    const database = await openForHistory(this.connectionString);
    const balances = await this.#modules.listBalanceDifferences(database);
    const rollups = await this.#modules.listRollupDifferences(database);
    await database.destroy();
    return [
      ...(balances.length > 0 ? [`${balances.length} balances differ from their events`] : []),
      ...(rollups.length > 0 ? [`${rollups.length} rollup rows differ from their events`] : []),
    ];
  }

  async close(): Promise<void> {
    await this.#storage.close();
  }

  async #withAuditLog(
    work: (deps: Parameters<DatabaseModules["setSpendLimit"]>[0]) => Promise<void>,
  ): Promise<void> {
    const audit = await openAudit(this.#modules, this.#storage);
    try {
      await work({ ...audit, publicUrl: () => "http://127.0.0.1" });
    } finally {
      await audit.witness.stop();
    }
  }
}

/** Opens a prepared folder. PostgreSQL stays on one core, the driver and its other children do not. */
export async function openBenchDatabase(options: {
  source: string;
  folder: string;
  nodes: number;
  split: CoreSplit | null;
}): Promise<BenchDatabase> {
  const { source, folder, nodes, split } = options;
  const modules = await loadDatabaseModules(source);
  const storage = await openStorage(modules, { folder, nodes, split });
  const organization = await storage.database
    .selectFrom("organization")
    .select("id")
    .where("name", "=", ORGANIZATION)
    .executeTakeFirstOrThrow();
  return new BenchDatabase({ source, modules, storage, organizationId: organization.id });
}

/** Creates a data folder with a company: default alerts and keys, no requests. */
export async function prepareCompany(source: string, folder: string): Promise<void> {
  const modules = await loadDatabaseModules(source);
  const storage = await openStorage(modules, { folder, nodes: 1, split: null });
  const audit = await openAudit(modules, storage);
  const { id: organizationId } = await modules.ensureOrganization(audit, ORGANIZATION);
  await modules.createDefaultAlerts(audit);
  await makeScopes(storage.database, {
    organizationId,
    workspaces: WORKSPACES,
    members: MEMBERS,
    keys: MOST_KEYS,
  });
  await prepareTables(modules, storage);
  await audit.witness.stop();
  await storage.close();
}

/** Creates a data folder with a history of requests. */
export async function prepareHistory(
  source: string,
  folder: string,
  history: { requests: number; keys: number },
): Promise<void> {
  const startMs = monotonicMs();
  await createHistory(source, folder, history, (text) => {
    const seconds = Math.round((monotonicMs() - startMs) / 1_000);
    console.error(`>   ${String(seconds).padStart(5)} s  ${text}`);
  });
  const modules = await loadDatabaseModules(source);
  const storage = await openStorage(modules, { folder, nodes: 1, split: null });
  await prepareTables(modules, storage);
  const database = await openForHistory(storage.place.connectionString);
  await sql`VACUUM ANALYZE`.execute(database);
  await database.destroy();
  await storage.close();
}

/** Creates the database and its history without syncs, which takes less than half of the time. */
async function createHistory(
  source: string,
  folder: string,
  history: { requests: number; keys: number },
  onStep: (text: string) => void,
): Promise<void> {
  const modules = await loadHistoryModules(source);
  await using parts = new AsyncDisposableStack();
  mkdirSync(folder, { recursive: true });
  const lock = await modules.acquireProcessLock(folder);
  parts.defer(() => lock.release());
  const postgres = await modules.startEmbeddedPostgres({
    lock,
    isThrowAway: true,
    settings: historySettings,
  });
  parts.defer(() => postgres.stop());
  const { connectionString } = postgres;
  await modules.migrate({ connectionString });
  const database = await openForHistory(connectionString);
  parts.defer(() => database.destroy());
  const organizationId = randomUUID();
  // Without the audit log, because the history brings its own events.
  await sql`INSERT INTO organization (id, name) VALUES (${organizationId}, ${ORGANIZATION})`.execute(
    database,
  );
  await modules.makeHistory(database, {
    ...history,
    workspaces: WORKSPACES,
    members: MEMBERS,
    days: HISTORY_DAYS,
    organizationId,
    endMs: Math.floor(Date.now() / HOUR_MS) * HOUR_MS,
    onStep,
  });
}

/** Copies a prepared folder, with the owners of its files. */
export function copyFolder(from: string, to: string): void {
  const { status, stderr } = spawnSync("cp", ["-a", from, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cp: ${stderr}`);
}

async function openStorage(
  modules: DatabaseModules,
  { folder, nodes, split }: { folder: string; nodes: number; split: CoreSplit | null },
): Promise<OwnStorage> {
  // Processes inherit the cores of the one that starts them.
  if (split) pinProcesses([process.pid], [split.target]);
  try {
    const storage = await modules.openStorage({
      dataDir: folder,
      databaseUrl: undefined,
      logger: modules.makeLogger("warn", process.stderr),
      onFailure: (reason) => {
        console.error(reason);
        process.exit(1);
      },
      processes: nodes,
    });
    // Created here once, as by the supervisor, so that the nodes find it.
    await readSecret(modules, storage);
    return storage;
  } finally {
    if (split) pinProcesses([process.pid], split.rest);
  }
}

/** Partitions of events, and sums of past weeks. */
async function prepareTables(modules: DatabaseModules, storage: OwnStorage): Promise<void> {
  const maintenance = await modules.startUsageTableMaintenance({
    database: storage.adminDatabase,
    logger: modules.makeLogger("warn", process.stderr),
    retention: {
      hourRetentionDays: Number.POSITIVE_INFINITY,
      dayRetentionDays: Number.POSITIVE_INFINITY,
    },
  });
  await maintenance.stop();
}

function readSecret(modules: DatabaseModules, { folder }: OwnStorage): Promise<string> {
  return modules.resolveSecret({ given: undefined, isDatabaseShared: false, dataDir: folder });
}

async function openAudit(modules: DatabaseModules, storage: OwnStorage) {
  return modules.openAuditLog({
    database: storage.adminDatabase,
    nowMs: () => Date.now(),
    randomBytes: modules.systemRandomBytes,
    secret: await readSecret(modules, storage),
    folder: storage.folder,
    logger: modules.makeLogger("warn", process.stderr),
  });
}

function makeCall(organizationId: string): Call {
  return {
    caller: {
      kind: "admin_key",
      id: "adminkey_bench",
      organizationId,
      scopes: null,
      allowedAddresses: null,
      expiresAtMs: null,
    },
    origin: { requestId: "req_bench", ipAddress: null, userAgent: null },
  };
}
