import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { eventually } from "./eventually.ts";
import type { LimitLoad, Planned, Refused } from "./limit-load.ts";

// Checks of every record and balance, once all nodes run and no request is open.

/** Milliseconds after which a complete response is certainly recorded. */
const RECORDED_WITHIN_MS = 200;
const FOLDED_WITHIN_MS = 30_000;

interface UsageRecord {
  name: string;
  nodeId: string;
  outcome: string;
  isEstimated: boolean;
  cost: bigint;
  hold: bigint | null;
  workspaceId: string;
}

export interface RoundState {
  round: number;
  workspaceId: string;
  /** Names of requests that reached the upstream, one for each time. */
  reached: readonly string[];
  faults: Faults;
  /** Whether leases were lost with their database. Spend beyond the limit is then recorded as overrun. */
  mayOverrun?: boolean;
  /** Node whose journal was in the database, and the start of the commits that a failover lost. Default: none. */
  lostJournal?: { node: number; sinceMs: number };
}

/** Faults of the nodes in a round. */
export interface Faults {
  killed: { node: number; atMs: number };
}

export interface RoundMoney {
  answered: number;
  aborted: number;
  interrupted: number;
  /** Requests that were never sent: the node was killed, or the upstream could not be reached. */
  unreached: number;
  settledNanoUsd: bigint;
  /** Spend beyond the limit of the workspace. */
  overrunNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
  /** Amount that the upstream billed, as far as known outside the gateway. */
  billedNanoUsd: bigint;
}

export async function readRecords(db: Database, workspaceId: string): Promise<UsageRecord[]> {
  return await db
    .selectFrom("recorded_request")
    .select([
      "requested_model as name",
      "node_id as nodeId",
      "outcome",
      "is_estimated as isEstimated",
      "cost_nano_usd as cost",
      "hold_nano_usd as hold",
      "workspace_id as workspaceId",
    ])
    .where("workspace_id", "=", workspaceId)
    .execute();
}

/** Throws an Error that names the first fault. */
export async function checkRound(
  db: Database,
  load: LimitLoad,
  state: RoundState,
): Promise<RoundMoney> {
  await eventually(FOLDED_WITHIN_MS, "a fold of each request", async () =>
    (await sql`SELECT id FROM usage_batch LIMIT 1`.execute(db)).rows.length === 0 ? true : null,
  );
  const records = await readRecords(db, state.workspaceId);
  checkCounts(load, state, records);
  const count = (outcome: string) => records.filter((one) => one.outcome === outcome).length;
  let billedNanoUsd = 0n;
  for (const record of records) {
    const planned = load.sent.get(record.name);
    if (planned === undefined) throw new Error(`${record.name}: has a record, but was never sent`);
    billedNanoUsd += checkRecord(planned, record, state);
  }
  const sums = {
    settled: records.reduce((sum, { cost }) => sum + cost, 0n),
    unresolved: records.reduce((sum, record) => sum + unresolvedOf(record), 0n),
  };
  const overrunNanoUsd = await checkBalances(db, state, sums);
  const differences = await listBalanceDifferences(db);
  if (differences.length > 0) throw new Error(`balances differ: ${show(differences)}`);
  checkRefusals(load.refused);
  return {
    answered: count("answered"),
    aborted: count("aborted"),
    interrupted: count("interrupted"),
    unreached: count("unreached"),
    settledNanoUsd: sums.settled,
    overrunNanoUsd,
    unresolvedNanoUsd: sums.unresolved,
    billedNanoUsd,
  };
}

function checkCounts(load: LimitLoad, state: RoundState, records: readonly UsageRecord[]): void {
  const { reached } = state;
  const recorded = new Map<string, number>();
  for (const { name } of records) recorded.set(name, (recorded.get(name) ?? 0) + 1);
  for (const [name, times] of recorded) {
    if (times !== 1) throw new Error(`${name}: ${times} records`);
  }
  const once = new Set(reached);
  if (once.size !== reached.length) throw new Error("the upstream received a request twice");
  for (const name of once) {
    const planned = load.sent.get(name);
    if (recorded.has(name) || (planned !== undefined && canBeLost(planned, state))) continue;
    throw new Error(`${name}: reached the upstream, but has no record`);
  }
}

/** True if the request ended in the lost time on the node whose journal lost it. */
function canBeLost({ node, completedAtMs }: Planned, { lostJournal }: RoundState): boolean {
  if (lostJournal === undefined || node !== lostJournal.node) return false;
  return completedAtMs === null || completedAtMs > lostJournal.sinceMs - RECORDED_WITHIN_MS;
}

/** Checks one record. Returns the amount that the upstream billed for it. */
function checkRecord(planned: Planned, record: UsageRecord, state: RoundState): bigint {
  const { outcome, cost, hold } = record;
  const hasReachedUpstream = state.reached.includes(planned.name);
  const description = `${planned.name} of node ${planned.node}: ${outcome}, cost ${cost}, hold ${hold}, client saw ${planned.status}, planned ${planned.costNanoUsd} of ${planned.holdNanoUsd}`;
  if (hold === null) throw new Error(`${description}: nothing was held`);
  const isAsPlanned = planned.isCounted
    ? hold <= planned.holdNanoUsd
    : hold === planned.holdNanoUsd;
  if (!isAsPlanned) throw new Error(`${description}: its hold is not its worst case`);
  if (cost > hold) throw new Error(`${description}: cost more than its hold`);
  if (outcome === "answered") {
    if (cost !== planned.costNanoUsd)
      throw new Error(`${description}: cost differs from the billed amount`);
    return cost;
  }
  if (outcome === "unreached") {
    if (hasReachedUpstream || cost !== 0n)
      throw new Error(`${description}: is recorded as not sent`);
    return 0n;
  }
  if (outcome === "aborted") {
    if (!planned.isAborted) throw new Error(`${description}: its client did not abort`);
    return cost;
  }
  if (outcome !== "interrupted") throw new Error(`${description}: unexpected`);
  const { killed } = state.faults;
  if (cost === 0n && !planned.isAborted) {
    if (planned.node !== killed.node) throw new Error(`${description}: its node was not killed`);
    const isCertain =
      planned.completedAtMs !== null && planned.completedAtMs < killed.atMs - RECORDED_WITHIN_MS;
    if (isCertain && !canBeLost(planned, state))
      throw new Error(`${description}: was answered long before the kill`);
  }
  return billedOf(planned, hasReachedUpstream);
}

function billedOf(planned: Planned, hasReachedUpstream: boolean): bigint {
  return hasReachedUpstream ? planned.costNanoUsd : 0n;
}

function unresolvedOf({ outcome, cost, hold }: UsageRecord): bigint {
  return outcome === "interrupted" && cost === 0n ? (hold ?? 0n) : 0n;
}

/** Checks the balances of workspace and keys against limit, records and leases. Returns the workspace's overrun. */
async function checkBalances(
  db: Database,
  { workspaceId, mayOverrun = false }: RoundState,
  sums: { settled: bigint; unresolved: bigint },
): Promise<bigint> {
  const rows = await readBalances(db, workspaceId);
  for (const row of rows) {
    const { settled, unresolved, leased, leaseRows, limit, overrun } = row;
    const description = show(row);
    if (leased !== leaseRows) throw new Error(`leases do not add up: ${description}`);
    if (mayOverrun && limit !== null && settled > limit + overrun) {
      throw new Error(`settled more than limit and overrun: ${description}`);
    }
    if (mayOverrun) continue;
    if (overrun !== 0n) throw new Error(`a request cost more than its hold: ${description}`);
    if (limit !== null && settled + unresolved + leased > limit) {
      throw new Error(`limit exceeded: ${description}`);
    }
  }
  const months = rows.filter((row) => row.scopeType === "workspace" && row.period === "monthly");
  const settled = months.reduce((sum, row) => sum + row.settled, 0n);
  const unresolved = months.reduce((sum, row) => sum + row.unresolved, 0n);
  if (settled !== sums.settled || unresolved !== sums.unresolved) {
    throw new Error(`balances ${show(months)} differ from the records: ${show(sums)}`);
  }
  return months.reduce((sum, row) => sum + row.overrun, 0n);
}

interface CheckedBalance {
  scopeType: string;
  scopeId: string;
  period: string;
  settled: bigint;
  leased: bigint;
  unresolved: bigint;
  overrun: bigint;
  leaseRows: bigint;
  limit: bigint | null;
}

async function readBalances(db: Database, workspaceId: string): Promise<CheckedBalance[]> {
  const { rows } = await sql<CheckedBalance>`
    SELECT b.scope_type AS "scopeType", b.scope_id AS "scopeId", b.period, b.settled_nano_usd AS settled,
      b.leased_nano_usd AS leased, b.unresolved_nano_usd AS unresolved, b.overrun_nano_usd AS overrun,
      coalesce((SELECT sum(l.amount_nano_usd) FROM lease_left l WHERE l.unresolved_since IS NULL
        AND (l.scope_type, l.scope_id, l.period, l.period_start)
          = (b.scope_type, b.scope_id, b.period, b.period_start)), 0)::bigint AS "leaseRows",
      s.amount_nano_usd AS limit
    FROM balance_sum b
    LEFT JOIN spend_limit s USING (scope_type, scope_id, period)
    WHERE b.scope_id = ${workspaceId}
      OR b.scope_id IN (SELECT id FROM api_key WHERE workspace_id = ${workspaceId})
    ORDER BY 1, 2, 3`.execute(db);
  return rows;
}

const EXPLAINED: readonly [number, RegExp][] = [
  [400, /You have reached your specified (workspace API|API key|API) usage limits\./],
  [400, /remains of a spend limit, less than this request can cost\./],
  // The node was stopped in the middle of the body for longer than a body may take.
  [408, /The request did not arrive in time\./],
  [429, /Other requests hold what remains of a spend limit\..*Send the request again shortly\./],
  [503, /"type":"api_error"/],
  // PostgreSQL crashed while the request waited.
  [529, /did not get its budget in time, although the spend limit has room/],
  // The first answer of PostgreSQL about a new limit came later than a request waits.
  [529, /does not know the spend under a spend limit yet\..*Send the request again shortly\./],
];

function checkRefusals(refused: readonly Refused[]): void {
  for (const { status, text } of refused) {
    const isExplained = EXPLAINED.some(([known, words]) => known === status && words.test(text));
    if (!isExplained) throw new Error(`unexpected refusal: ${status} ${text}`);
  }
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "bigint" ? String(each) : each,
  );
}
