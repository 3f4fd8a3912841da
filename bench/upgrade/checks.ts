import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { makeLocalApi } from "../../server/src/cli/local-api.ts";
import type { Database } from "../../server/src/db/pool.ts";
import { listRollupDifferences } from "../../server/src/recording/verify.sql.ts";
import type { Received } from "../../server/test/harness/fake-upstream.ts";
import { isMessage } from "../../server/test/harness/limit-load.ts";
import { monotonicMs } from "../monotonic.ts";
import { findRequestName, type UpgradeLoad } from "./load.ts";

const POLL_MS = 250;
const COUNTED_WITHIN_MS = 60_000;
/** The next look of a node at hours, which it takes every minute. */
const CLOSING_WITHIN_MS = 120_000;

export interface Totals {
  requests: number;
  costNanoUsd: string;
}

/** Returns a description of each wrong result: requests, records, balances, rollups and the usage report. */
export async function listProblems(
  database: Database,
  checked: {
    load: UpgradeLoad;
    received: readonly Received[];
    /** Sums of the events before the upgrade. */
    before: Totals;
    /** Data folder of a running node. */
    dataDir: string;
  },
): Promise<string[]> {
  const { load, before, dataDir } = checked;
  const problems = [...load.failures];
  if (!(await waitUntilCounted(database, load.sent.length)))
    problems.push("requests are not counted");
  problems.push(...(await compareRecords(database, checked)));
  const sentNanoUsd = load.sent.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
  const expected = {
    requests: before.requests + load.sent.length,
    costNanoUsd: String(BigInt(before.costNanoUsd) + sentNanoUsd),
  };
  for (const [source, totals] of Object.entries(await readAllTotals(database))) {
    if (totals.requests !== expected.requests || totals.costNanoUsd !== expected.costNanoUsd) {
      problems.push(`${source}: ${JSON.stringify(totals)}, expected ${JSON.stringify(expected)}`);
    }
  }
  const rollups = await listRollupDifferences(database);
  if (rollups.length > 0) problems.push(`${rollups.length} rollup rows differ: ${show(rollups)}`);
  const callApi = makeLocalApi(dataDir, COUNTED_WITHIN_MS);
  const ledger = (await callApi("GET", "/v1/admin/ledger_check")) as { is_correct: boolean };
  if (!ledger.is_correct) problems.push(`wrong balances: ${show(ledger)}`);
  return problems;
}

/** Sums of all events, in a database of any version. */
export async function readTotals(
  database: Database,
  table: "usage_event" | "recorded_request",
): Promise<Totals> {
  const { rows } = await sql<Totals>`SELECT count(*)::int AS requests,
    coalesce(sum(cost_nano_usd), 0)::text AS "costNanoUsd" FROM ${sql.table(table)}`.execute(
    database,
  );
  return rows[0] ?? { requests: 0, costNanoUsd: "0" };
}

/**
 * Waits until hours are closed, which begins when the last node of 0.1 is silent for ten minutes. Sets the last contact of
 * such nodes back, so that the wait is short. Returns the first hour, or null if it was not set in time.
 */
export async function waitForClosing(database: Database): Promise<Date | null> {
  await sql`UPDATE node SET seen_at = now() - interval '11 minutes' WHERE NOT appends`.execute(
    database,
  );
  const giveUpAtMs = monotonicMs() + CLOSING_WITHIN_MS;
  for (;;) {
    const { rows } = await sql<{ hourAt: Date }>`
      SELECT hour_at AS "hourAt" FROM rollup_progress WHERE isfinite(hour_at)`.execute(database);
    if (rows[0] !== undefined) return rows[0].hourAt;
    if (monotonicMs() > giveUpAtMs) return null;
    await sleep(POLL_MS);
  }
}

/** Waits until every request has a record and no batch is left. */
async function waitUntilCounted(database: Database, requests: number): Promise<boolean> {
  const giveUpAtMs = monotonicMs() + COUNTED_WITHIN_MS;
  for (;;) {
    const { rows } = await sql<{ isCounted: boolean }>`
      SELECT NOT EXISTS (SELECT FROM usage_batch) AND (SELECT count(*) >= ${requests} FROM recorded_request
        WHERE requested_model LIKE 'claude-upgrade-%') AS "isCounted"`.execute(database);
    if (rows[0]?.isCounted === true) return true;
    if (monotonicMs() > giveUpAtMs) return false;
    await sleep(POLL_MS);
  }
}

/** Compares the requests of the clients, of the upstream and of the database one by one. */
async function compareRecords(
  database: Database,
  { load, received }: { load: UpgradeLoad; received: readonly Received[] },
): Promise<string[]> {
  const { rows } = await sql<{ name: string; outcome: string; cost: string }>`
    SELECT requested_model AS name, outcome, cost_nano_usd::text AS cost FROM recorded_request
    WHERE requested_model LIKE 'claude-upgrade-%'`.execute(database);
  const records = Map.groupBy(rows, ({ name }) => name);
  const atUpstream = Map.groupBy(received.filter(isMessage).map(findRequestName), (name) => name);
  const problems: string[] = [];
  for (const { name, costNanoUsd } of load.sent) {
    const arrivals = atUpstream.get(name)?.length ?? 0;
    const found = records.get(name) ?? [];
    const isCounted = found.some(
      ({ outcome, cost }) => outcome === "answered" && cost === String(costNanoUsd),
    );
    if (arrivals !== 1 || found.length !== 1 || !isCounted) {
      problems.push(`${name}: ${arrivals} times at the upstream, records ${show(found)}`);
    }
  }
  if (rows.length !== load.sent.length)
    problems.push(`${load.sent.length} requests, but ${rows.length} records`);
  return problems;
}

/** Sums of everything, by their source. Weeks and minutes have a part only. */
async function readAllTotals(database: Database): Promise<Record<string, Totals>> {
  const sources: Record<string, Totals> = {
    events: await readTotals(database, "recorded_request"),
  };
  for (const table of ["usage_hour", "usage_day", "usage_month", "usage_key_month"]) {
    const { rows } = await sql<Totals>`SELECT sum(requests)::int AS requests,
      sum(cost_nano_usd)::text AS "costNanoUsd" FROM ${sql.table(table)}`.execute(database);
    if (rows[0] !== undefined) sources[table] = rows[0];
  }
  return sources;
}

const SHOWN_CHARACTERS = 500;

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, each: unknown) =>
    typeof each === "bigint" ? String(each) : each,
  );
  return text.slice(0, SHOWN_CHARACTERS);
}
