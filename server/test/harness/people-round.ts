import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { eventually } from "./eventually.ts";
import { type FakeUpstream, startFakeUpstream } from "./fake-upstream.ts";
import {
  answerAsPlanned,
  isMessage,
  type LimitLoad,
  modelOf,
  planRequest,
  sendPlanned,
} from "./limit-load.ts";
import { type NodesOnPostgres, SHORT_LEASES, startNodesOnPostgres } from "./nodes-on-postgres.ts";
import { type Company, insertCompany, KEYS_PER_PERSON, type Person } from "./people.ts";
import { nodeAt, waitUntilIdle, waitUntilLimitsKnown, waitUntilServing } from "./running-nodes.ts";
import { seededRandom } from "./seeded-random.ts";
import type { WorkspaceWithKey } from "./server-process.ts";

// Caps of people and groups under load, with three nodes on one PostgreSQL. Each person is in several groups and sends many
// parallel requests through three keys. One node is killed. Costs are counted outside the nodes.

export interface PeopleOptions {
  people: number;
  groups: number;
  /** Parallel requests of one person. */
  requestsOfPerson: number;
  /** People who send at the same time. */
  peopleAtOnce: number;
  seed: number;
}

export interface PeopleResult {
  requests: number;
  reached: number;
  interrupted: number;
  /** Refusals by status and code. */
  refusals: Record<string, number>;
  /** People and groups whose spend and unresolved holds used at least three quarters of the cap. */
  fullPeople: number;
  fullGroups: number;
  /** Highest billed part of a cap. */
  highestShareOfPerson: number;
  highestShareOfGroup: number;
  totalUsd: string;
  durationMs: number;
}

const NODES = 3;
const WORKSPACES = 4;
const VICTIM = 1;
/** Part of the people who have sent their requests when the node is killed. */
const KILLED_AFTER = 0.4;
const MAX_ATTEMPTS = 3;
const RETRY_MS = 300;
const BOUND_MS = 120_000;
const NANO_USD_OF_CENT = 10_000_000n;
const OWN_CAP_CENTS = 8;
const GROUP_CAP_CENTS = 36;
/** The hold of one request can be a third of a cap. */
const FULL_SHARE = 0.75;

interface Run extends NodesOnPostgres {
  upstream: FakeUpstream;
  load: LimitLoad;
  probe: WorkspaceWithKey;
  company: Company;
  /** Caps in nano-USD, computed here from the defaults and own values that the run sets. */
  caps: ReadonlyMap<string, bigint>;
  /** Person of each sent request, by the request's model name. */
  senders: Map<string, Person>;
}

/** Throws an Error that names the first fault. Call `stopAllServers` afterwards. */
export async function runPeopleRound(options: PeopleOptions): Promise<PeopleResult> {
  await using parts = new AsyncDisposableStack();
  const run = await startRun(options, parts);
  const startMs = performance.now();
  await sendAll(run, options);
  const durationMs = performance.now() - startMs;
  for (const index of run.nodes.keys()) await waitUntilServing(run, index);
  const reached = await waitUntilRecorded(run);
  const result = await checkSpend(run, reached);
  await checkReports(run);
  for (const node of run.nodes) await node.stop();
  return { ...result, requests: run.load.sent.size, reached: reached.length, durationMs };
}

async function startRun(options: PeopleOptions, parts: AsyncDisposableStack): Promise<Run> {
  const load: LimitLoad = { random: seededRandom(options.seed), sent: new Map(), refused: [] };
  const upstream = parts.adopt(await startFakeUpstream(), (one) => one.close());
  upstream.script = (exchange) => answerAsPlanned(load, exchange);
  const started = await startNodesOnPostgres(parts, {
    nodes: NODES,
    upstreamOrigin: upstream.origin,
    env: SHORT_LEASES,
  });
  const node = nodeAt(started, 0);
  const probe = await node.workspaceWithKey();
  const workspaceIds = [probe.workspaceId];
  while (workspaceIds.length < WORKSPACES) {
    workspaceIds.push((await node.workspaceWithKey()).workspaceId);
  }
  const { organization_id: organizationId } = await started.db
    .selectFrom("workspace")
    .select("organization_id")
    .where("id", "=", probe.workspaceId)
    .executeTakeFirstOrThrow();
  const company = await insertCompany(started.db, {
    ...options,
    organizationId,
    workspaceIds,
    random: load.random,
  });
  const caps = await setCaps(started, company);
  return { ...started, upstream, load, probe, company, caps, senders: new Map() };
}

/** Sets a cap and a default for each group, and an own value for each tenth person. Returns the caps by scope id. */
async function setCaps(nodes: NodesOnPostgres, company: Company): Promise<Map<string, bigint>> {
  const set = async (scope: object, cents: number) => {
    // Holds in steps leave the whole bound of a killed stream unresolved, which can exceed a cap.
    const rules = { enforcement: "strict", hold: "whole" };
    const body = { scope, period: "monthly", limit_usd: cents / 100, ...rules };
    await nodeAt(nodes, 0).mustAdmin("POST", "/v1/admin/spend_limits", body);
    return BigInt(cents) * NANO_USD_OF_CENT;
  };
  const caps = new Map<string, bigint>();
  const defaults = new Map<string, number>();
  for (const [at, id] of company.groupIds.entries()) {
    caps.set(id, await set({ type: "group", group_id: id }, GROUP_CAP_CENTS));
    const cents = 5 + (at % 4) * 2;
    await set({ type: "group_member", group_id: id }, cents);
    defaults.set(id, cents);
  }
  for (const [at, { id, groupIds }] of company.people.entries()) {
    const highest = Math.max(...groupIds.map((group) => defaults.get(group) ?? 0));
    const hasOwn = at % 10 === 0;
    if (hasOwn) await set({ type: "member", member_id: id }, OWN_CAP_CENTS);
    caps.set(id, BigInt(hasOwn ? OWN_CAP_CENTS : highest) * NANO_USD_OF_CENT);
  }
  await waitUntilLimitsKnown(nodes.db, BOUND_MS);
  return caps;
}

async function sendAll(run: Run, { peopleAtOnce, requestsOfPerson }: PeopleOptions): Promise<void> {
  const waiting = [...run.company.people];
  const killAt = Math.floor(waiting.length * (1 - KILLED_AFTER));
  const { promise: isTime, resolve: kill } = Promise.withResolvers<void>();
  const next = async () => {
    for (let person = waiting.shift(); person !== undefined; person = waiting.shift()) {
      if (waiting.length <= killAt) kill();
      const one = person;
      await Promise.all(
        Array.from({ length: requestsOfPerson }, (_, at) => sendRequest(run, one, at)),
      );
    }
  };
  const killed = isTime.then(async () => {
    const victim = nodeAt(run, VICTIM);
    await victim.kill();
    run.nodes[VICTIM] = await victim.restart();
  });
  await Promise.all([killed, ...Array.from({ length: peopleAtOnce }, next)]);
}

/** Sends one request until it is answered or the cap is used up, as an SDK does. */
async function sendRequest(run: Run, person: Person, at: number): Promise<void> {
  const key = person.keys[at % KEYS_PER_PERSON]?.secret ?? "";
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const planned = { ...planRequest(run.load, 1), isAborted: false };
    planned.node = Math.floor(run.load.random() * NODES);
    run.load.sent.set(planned.name, planned);
    run.senders.set(planned.name, person);
    // A killed node answers nothing.
    await sendPlanned(run.load, planned, nodeAt(run, planned.node).url, key).catch(() => undefined);
    if (planned.status === 200 || planned.status === 400) return;
    await delay(RETRY_MS);
  }
}

/** Waits until each request that reached the upstream has its record. Returns the names of these requests. */
async function waitUntilRecorded(run: Run): Promise<string[]> {
  const reached = run.upstream.received
    .filter(isMessage)
    .map(({ body }) => modelOf(body))
    .filter((name) => run.senders.has(name));
  if (new Set(reached).size !== reached.length) throw new Error("a request was sent on twice");
  await eventually(BOUND_MS, "a record of each request", async () => {
    const names = new Set((await readRecords(run)).map(({ name }) => name));
    return reached.every((name) => names.has(name)) ? true : null;
  });
  await eventually(BOUND_MS, "the killed node's requests to be settled", async () => {
    const { rows } = await sql`
      SELECT 1 FROM lease WHERE request_id = '' AND unresolved_since IS NOT NULL LIMIT 1`.execute(
      run.db,
    );
    return rows.length === 0 ? true : null;
  });
  await waitUntilIdle(run);
  await eventually(BOUND_MS, "a fold of each request", async () => {
    const { rows } = await sql`SELECT 1 FROM usage_batch LIMIT 1`.execute(run.db);
    return rows.length === 0 ? true : null;
  });
  return reached;
}

interface Recorded {
  name: string;
  workspaceId: string;
  memberId: string | null;
  groupIds: string;
  tagIds: string;
  outcome: string;
  cost: bigint;
  hold: bigint | null;
}

async function readRecords({ db, probe }: Run): Promise<Recorded[]> {
  const { rows } = await sql<Recorded>`
    SELECT requested_model AS name, workspace_id AS "workspaceId", member_id AS "memberId", group_ids AS "groupIds",
      tag_ids AS "tagIds", outcome, cost_nano_usd AS cost, hold_nano_usd AS hold
    FROM recorded_request WHERE api_key_id <> ${probe.apiKeyId}`.execute(db);
  return rows;
}

/** Checks records and balances against the caps, and against the amounts that the upstream billed. */
async function checkSpend(run: Run, reached: readonly string[]) {
  const { load, senders, caps, db } = run;
  const records = await readRecords(run);
  const used = new Map<string, bigint>();
  const billed = new Map<string, bigint>();
  const isReached = new Set(reached);
  const recorded = new Set<string>();
  for (const { name, cost, hold, outcome, ...of } of records) {
    const [person, planned] = [senders.get(name), load.sent.get(name)];
    if (person === undefined || planned === undefined) throw new Error(`${name} was never sent`);
    if (recorded.has(name)) throw new Error(`${name} has two records`);
    recorded.add(name);
    const expected = {
      workspaceId: person.workspaceId,
      memberId: person.id,
      groupIds: person.groupIds.join(),
      tagIds: person.tag.id,
    };
    if (JSON.stringify(of) !== JSON.stringify(expected)) {
      throw new Error(`${name}: ${JSON.stringify(of)} instead of ${JSON.stringify(expected)}`);
    }
    if (outcome === "answered" && cost !== planned.costNanoUsd) {
      throw new Error(`${name}: ${cost} recorded, ${planned.costNanoUsd} billed`);
    }
    const isUnresolved = outcome === "interrupted" && cost === 0n;
    for (const id of [person.id, ...person.groupIds]) {
      add(used, id, isUnresolved ? (hold ?? 0n) : cost);
      if (isReached.has(name)) add(billed, id, planned.costNanoUsd);
    }
  }
  for (const [id, cap] of caps) {
    for (const sum of [used.get(id) ?? 0n, billed.get(id) ?? 0n]) {
      if (sum > cap) throw new Error(`${id}: $${formatUsd(sum)} of a cap of $${formatUsd(cap)}`);
    }
  }
  const differences = await listBalanceDifferences(db);
  if (differences.length > 0) throw new Error(`${differences.length} balances differ`);
  const check = await nodeAt(run, 0).mustAdmin("GET", "/v1/admin/ledger_check");
  if (check["is_correct"] !== true) throw new Error(JSON.stringify(check["differences"]));
  return summarize(run, records, { used, billed });
}

type Sums = Map<string, bigint>;

function add(sums: Sums, id: string, nanoUsd: bigint): void {
  sums.set(id, (sums.get(id) ?? 0n) + nanoUsd);
}

function summarize(run: Run, records: readonly Recorded[], sums: { used: Sums; billed: Sums }) {
  const { people, groupIds } = run.company;
  const shareOf = (of: Sums) => (id: string) =>
    Number(of.get(id) ?? 0n) / Number(run.caps.get(id) ?? 1n);
  const personIds = people.map(({ id }) => id);
  const isFull = (id: string) => shareOf(sums.used)(id) >= FULL_SHARE;
  const refusals: Record<string, number> = {};
  for (const { status, text } of run.load.refused) {
    const { error } = JSON.parse(text) as { error?: { details?: { error_code?: string } } };
    const name = `${status} ${error?.details?.error_code ?? "unknown"}`;
    refusals[name] = (refusals[name] ?? 0) + 1;
  }
  return {
    interrupted: records.filter(({ outcome }) => outcome === "interrupted").length,
    refusals,
    fullPeople: personIds.filter(isFull).length,
    fullGroups: groupIds.filter(isFull).length,
    highestShareOfPerson: Math.max(...personIds.map(shareOf(sums.billed))),
    highestShareOfGroup: Math.max(...groupIds.map(shareOf(sums.billed))),
    totalUsd: formatUsd(records.reduce((total, { cost }) => total + cost, 0n)),
  };
}

const REPORTS = ["member", "group", "tag", "workspace"] as const;

/** Reports by person, group, tag and workspace must equal the records, and those without overlaps the total. */
async function checkReports(run: Run): Promise<void> {
  const records = (await readRecords(run)).filter(({ cost }) => cost > 0n);
  const ids = {
    member: ({ memberId }: Recorded) => [memberId ?? ""],
    group: ({ groupIds }: Recorded) => groupIds.split(","),
    tag: ({ tagIds }: Recorded) => [tagIds],
    workspace: ({ workspaceId }: Recorded) => [workspaceId],
  };
  const apiKeyIds = run.company.people.flatMap(({ keys }) => keys.map(({ id }) => id));
  const ownKeys = new Set(apiKeyIds);
  for (const group of REPORTS) {
    const wanted: Sums = new Map();
    for (const record of records) for (const id of ids[group](record)) add(wanted, id, record.cost);
    const found: Sums = new Map();
    for (const row of await readReport(run, group)) {
      if (ownKeys.has(row.api_key_id)) add(found, row[`${group}_id`] ?? "", parseUsd(row.cost_usd));
    }
    for (const id of new Set([...wanted.keys(), ...found.keys()])) {
      const [one, other] = [wanted.get(id) ?? 0n, found.get(id) ?? 0n];
      if (one !== other) throw new Error(`${group} ${id}: ${one} recorded, ${other} reported`);
    }
  }
}

type ReportRow = { cost_usd: string; api_key_id: string } & {
  [Name in `${(typeof REPORTS)[number]}_id`]: string | null;
};

async function readReport(run: Run, group: string): Promise<ReportRow[]> {
  const day = 86_400_000;
  const query = new URLSearchParams({
    starting_at: new Date(Date.now() - day).toISOString(),
    ending_at: new Date(Date.now() + day).toISOString(),
    bucket: "none",
    group_by: `${group},api_key`,
    limit: "1000",
  });
  const rows: ReportRow[] = [];
  for (let page: string | null = ""; page !== null; ) {
    query.set("page", page);
    const { json } = await nodeAt(run, 0).admin("GET", `/v1/admin/usage?${query}`);
    const answer = json as { data?: ReportRow[]; next_page?: string | null };
    if (answer.data === undefined) throw new Error(JSON.stringify(json));
    rows.push(...answer.data);
    page = answer.next_page ?? null;
  }
  return rows;
}
