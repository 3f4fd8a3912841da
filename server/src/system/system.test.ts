import type { system } from "@bursar/contract/admin/system.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { appendBatchOnly } from "#test/harness/folds.ts";

const SYSTEM = "/v1/admin/system";
type System = z.output<typeof system>;

const test = base.extend("read", ({ h }) => async (): Promise<System> => {
  const { status, body, text } = await h.operator.get<System>(SYSTEM);
  if (status !== 200) throw new Error(text);
  return body;
});

test("returns versions, database, prices, upstream, mail and audit log", async ({ read }) => {
  const { database, ...state } = await read();
  expect(state).toMatchObject({
    type: "system",
    version: "0.0.0-test",
    node_version: process.versions.node,
    this_node: { id: "node_test", unflushed_records: 0, journal: "disk", lease_ttl_seconds: 120 },
    mail: { is_configured: false, from: null, queued: 0, failed: 0 },
    price_list: { as_of: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), overrides: 0 },
    upstream: { source: "simulator", problem: null },
    audit_log: { is_intact: null, verified_through_seq: null, checked_at: null },
  });
  expect(database.version).toMatch(/^\d+/);
  expect(database.size_bytes).toBeGreaterThan(1_000_000);
  expect(database.connections).toBeGreaterThan(0);
  expect(database.max_connections).toBeGreaterThanOrEqual(database.connections);
  expect(database.migration).toMatch(/^\d{4}_[a-z_]+$/);
  expect(database.settings.map(({ name }) => name)).toEqual([
    "fsync",
    "full_page_writes",
    "synchronous_commit",
  ]);
});

test("warns of database settings that can lose committed data", async ({ read }) => {
  // The tests' server may run without fsync. The warning must match the value in both cases.
  const { warnings, database } = await read();
  const off = database.settings.filter(({ value }) => value === "off").map(({ name }) => name);
  expect(warnings.some((warning) => warning.startsWith("PostgreSQL runs with"))).toBe(
    off.length > 0,
  );
  for (const name of off) expect(warnings.join()).toContain(name);
});

test("returns the budget of each node, and marks silent ones", async ({ h, read }) => {
  const { database } = h.deps;
  const nodes = [
    { id: "node_alive", journal_id: "journal_1", version: "1.0.0" },
    {
      id: "node_gone",
      journal_id: "journal_2",
      version: "0.9.0",
      seen_at: new Date(Date.now() - 3_600_000),
    },
  ];
  await database.insertInto("node").values(nodes).execute();
  await database
    .insertInto("journal_writer")
    .values({ node_id: "node_alive", journal_id: "journal_1" })
    .execute();
  const lease = {
    scope_type: "organization",
    scope_id: h.firstOrganizationId,
    period: "monthly",
    period_start: "2026-11-01",
    organization_id: h.firstOrganizationId,
  } as const;
  await database
    .insertInto("lease")
    .values([
      { ...lease, node_id: "node_alive", request_id: "", amount_nano_usd: 1_500_000_000n },
      {
        ...lease,
        node_id: "node_gone",
        request_id: "req_1",
        amount_nano_usd: 250_000_000n,
        unresolved_since: new Date(),
      },
    ])
    .execute();
  const shown = (await read()).nodes;
  expect(shown).toMatchObject([
    { id: "node_alive", is_silent: false, journal: "postgres", leased_usd: "1.50", epoch: 1 },
    { id: "node_gone", is_silent: true, journal: "disk", unresolved_usd: "0.25", version: "0.9.0" },
  ]);
  // Money of another organization is not shown.
  const other = await (await h.organization()).operator.get<System>(SYSTEM);
  expect(other.body.nodes[0]).toMatchObject({ id: "node_alive", leased_usd: "0.00" });
});

test("adds up the connections of nodes that have not stopped, and warns when PostgreSQL accepts fewer", async ({
  h,
  read,
}) => {
  const { database } = h.deps;
  const before = (await read()).database;
  const accepted = before.max_connections - before.reserved_connections;
  const lease_expires_at = new Date(Date.now() + 60_000);
  const node = (id: string) => ({
    id: `node_${id}`,
    journal_id: `journal_${id}`,
    version: "0.2.0",
  });
  const longAgo = new Date(Date.now() - 3_600_000);
  await database
    .insertInto("node")
    .values([
      { ...node("first"), lease_expires_at, max_connections: 10 },
      // A version that does not publish its connections.
      { ...node("older"), lease_expires_at },
      { ...node("stopped"), max_connections: 1_000 },
      { ...node("silent"), seen_at: longAgo, lease_expires_at: longAgo, max_connections: 1_000 },
    ])
    .execute();
  const fitting = await read();
  expect(fitting.database.needed_connections - before.needed_connections).toBe(10 + 24);
  expect(fitting.nodes.find(({ id }) => id === "node_first")?.max_connections).toBe(10);
  expect(fitting.warnings.join()).not.toContain("max_connections");

  const full = { ...node("large"), lease_expires_at, max_connections: accepted };
  await database.insertInto("node").values(full).execute();
  const { warnings, database: state } = await read();
  expect(warnings).toContainEqual(
    expect.stringContaining(
      `open up to ${state.needed_connections} database connections, but PostgreSQL accepts ${accepted}. ` +
        `Set its max_connections to ${state.needed_connections + state.reserved_connections} or more`,
    ),
  );
});

test("counts waiting, failing and failed jobs", async ({ h, read }) => {
  const { database } = h.deps;
  const before = (await read()).job_queue;
  await sql`SELECT graphile_worker.add_job('a'), graphile_worker.add_job('b', run_at => now() + interval '1 day')`.execute(
    database,
  );
  await sql`SELECT graphile_worker.add_job('c', max_attempts => 3)`.execute(database);
  await sql`UPDATE graphile_worker._private_jobs AS job SET attempts = 3, last_error = 'it broke'
    FROM graphile_worker._private_tasks AS task WHERE task.id = job.task_id AND task.identifier = 'c'`.execute(
    database,
  );
  await sql`UPDATE graphile_worker._private_jobs AS job SET attempts = 1
    FROM graphile_worker._private_tasks AS task WHERE task.id = job.task_id AND task.identifier = 'a'`.execute(
    database,
  );
  const { job_queue } = await read();
  expect(job_queue).toMatchObject({
    waiting: before.waiting + 2,
    running: 0,
    failing: before.failing + 1,
    given_up: before.given_up + 1,
    last_error: "it broke",
  });
  expect(job_queue.oldest_due_at).not.toBeNull();
});

test("reports the verified part of the audit log, and a manipulation", async ({ h, read }) => {
  await h.audit.chains.check();
  expect((await read()).audit_log).toMatchObject({
    is_intact: true,
    verified_through_seq: expect.any(Number),
    checked_at: expect.any(String),
  });
});

test("warns of requests that no fold counts", async ({ h, read }) => {
  const isOfFold = (warning: string) => /requests/i.test(warning) && /counted/.test(warning);
  expect((await read()).warnings.filter(isOfFold)).toEqual([]);
  await appendBatchOnly(h.deps.database, "node_slow");
  await sql`UPDATE usage_batch SET appended_at = now() - interval '30 s'`.execute(h.deps.database);
  expect((await read()).warnings.filter(isOfFold)).toEqual([
    expect.stringMatching(/^Requests have waited 3\d s to be counted: /),
  ]);
  await sql`UPDATE usage_batch SET set_aside_at = now()`.execute(h.deps.database);
  expect((await read()).warnings.filter(isOfFold)).toEqual([
    expect.stringMatching(/^1 batch of requests is not counted, /),
  ]);
  await sql`DELETE FROM usage_batch`.execute(h.deps.database);
});

test("warns of an hour that is not closed half an hour after its end", async ({ h, read }) => {
  const isOfHours = (warning: string) => warning.includes("daily sums");
  const setProgress = (ago: string) =>
    sql`UPDATE rollup_progress SET hour_at = now() - ${ago}::interval`.execute(h.deps.database);
  expect((await read()).warnings.filter(isOfHours)).toEqual([]);
  await setProgress("89 minutes");
  expect((await read()).warnings.filter(isOfHours)).toEqual([]);
  await setProgress("100 minutes");
  expect((await read()).warnings.filter(isOfHours)).toEqual([
    expect.stringMatching(
      /^Usage of an hour that ended 40 minutes ago is not in the daily sums\. /,
    ),
  ]);
  await sql`UPDATE rollup_progress SET hour_at = 'infinity'`.execute(h.deps.database);
});

test("names the newest failover, and warns of it for a day", async ({ h, read }) => {
  expect(await read()).toMatchObject({ newest_failover: null });
  const { database } = h.deps;
  await sql`INSERT INTO incarnation (value, id, reason) VALUES (1, gen_random_uuid(), 'timeline')`.execute(
    database,
  );
  await sql`INSERT INTO lease_node (node_id, awaited_until) VALUES ('node_away', now() + interval '1 minute')`.execute(
    database,
  );
  const recent = await read();
  expect(recent.newest_failover).toMatchObject({
    ...{ incarnation: 1, reason: "timeline", is_recent: true, awaited_nodes: ["node_away"] },
    ...{ appended_records: 0, missing_records: 0 },
  });
  expect(recent.warnings.join()).toContain("Limits grant nothing until node_away reports");
  await sql`UPDATE incarnation SET raised_at = now() - interval '25 hours' WHERE value = 1`.execute(
    database,
  );
  expect((await read()).warnings.join()).not.toContain("A standby database was promoted");
});
