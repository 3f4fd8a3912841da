import { randomUUID } from "node:crypto";
import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import { addJob } from "#src/db/job-queue.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { noCost } from "#src/domain/usage.ts";
import { type RunningJobs, runJobs } from "#src/jobs/run-jobs.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { describeFiring } from "./alert-words.rule.ts";
import { evaluatePace } from "./evaluate-pace.ts";
import { EVALUATE_PACE, makeSpendEvaluationJobs } from "./spend-evaluation-jobs.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NANO = 1_000_000_000n;
/** A Tuesday. */
const NOW_MS = Date.UTC(2026, 10, 24, 14, 40);
const HOUR = NOW_MS - 40 * 60_000;

const logs: string[] = [];
const logger = makeLogger("trace", { write: (line) => logs.push(line) });

const test = base.extend("company", ({ db }) => {
  const deps = () => ({
    database: db.database,
    nowMs: () => nowMs,
    randomBytes: systemRandomBytes,
    sealingKey: deriveSealingKey("a secret that only this test knows"),
    publicUrl: () => "https://bursar.example.com",
    logger,
  });

  function startNode(): void {
    const { connectionString } = db;
    nodes.push(
      runJobs({ connectionString, jobs: makeSpendEvaluationJobs(deps()), schedule: {}, logger }),
    );
  }

  /** Adds the job like its schedule, and waits until a node has run it. */
  async function runJob(): Promise<void> {
    await inTransaction(db.database, (tx) =>
      addJob(tx, { task: EVALUATE_PACE, payload: {}, key: EVALUATE_PACE, maxAttempts: 1 }),
    );
    await eventually(30_000, "end of the job", async () => {
      const { rows } = await sql`SELECT FROM graphile_worker._private_jobs`.execute(db.database);
      return rows.length === 0 ? true : null;
    });
  }

  async function addAlert(
    condition: AlertCondition,
    scope: { type: string; id: string } = { type: "organization", id: organizationId },
    includesBelow = false,
  ): Promise<string> {
    const id = `alert_${++made}`;
    await sql`INSERT INTO alert (id, organization_id, name, kind, scope_type, scope_id, includes_below, condition,
      created_at, updated_at)
    VALUES (${id}, ${organizationId}, ${"Watch"}, ${condition.kind}, ${scope.type}, ${scope.id}, ${includesBelow},
      ${JSON.stringify(condition)}::jsonb, ${new Date(NOW_MS - DAY_MS)}, ${new Date(NOW_MS - DAY_MS)})`.execute(
      db.database,
    );
    return id;
  }

  /** Records the cost of these hours in the rollups. */
  async function spend(place: Place, hours: { atMs: number; usd: number }[]): Promise<void> {
    const records = hours.map(({ atMs, usd }) => {
      const total = BigInt(Math.round(usd * 100)) * 10_000_000n;
      return endRecord({
        ...{ organizationId, ...place, requestId: `req_${++made}`, startedAtMs: atMs },
        cost: { ...noCost, input: total, total },
      });
    });
    for (let start = 0; start < records.length; start += 100) {
      await recordUsage(db.database, records.slice(start, start + 100));
    }
  }

  const firings = () =>
    db.database
      .selectFrom("alert_firing")
      .select(["alert_id", "kind", "scope_type", "scope_id", "episode", "threshold", "facts"])
      .where("organization_id", "=", organizationId)
      .orderBy("episode")
      .orderBy("scope_type")
      .execute();

  const scopes = async () =>
    (await firings()).map(({ scope_type, scope_id }) => [scope_type, scope_id]);

  async function addLimit(
    usd: bigint,
    settledUsd: bigint,
    scope: { type: string; id: string } = { type: "organization", id: organizationId },
  ): Promise<void> {
    await sql`INSERT INTO spend_limit (id, organization_id, scope_type, scope_id, period, amount_nano_usd, enforcement)
    VALUES (${`limit_${++made}`}, ${organizationId}, ${scope.type}, ${scope.id}, 'monthly', ${usd * NANO},
      'strict')`.execute(db.database);
    await sql`INSERT INTO balance (organization_id, scope_type, scope_id, period, period_start, settled_nano_usd)
    VALUES (${organizationId}, ${scope.type}, ${scope.id}, 'monthly', '2026-11-01', ${settledUsd * NANO})`.execute(
      db.database,
    );
  }

  /** Adds a mail channel to the alert. */
  async function addMailChannel(alertId: string): Promise<void> {
    const id = `channel_${++made}`;
    await sql`INSERT INTO alert_channel (id, organization_id, name, kind, recipients, created_at, updated_at)
    VALUES (${id}, ${organizationId}, ${id}, 'email', '{"roles": [], "addresses": ["desk@example.com"]}', now(), now())`.execute(
      db.database,
    );
    await sql`INSERT INTO alert_to_channel (alert_id, alert_channel_id) VALUES (${alertId}, ${id})`.execute(
      db.database,
    );
  }

  const setLimit = (usd: bigint) =>
    sql`UPDATE spend_limit SET amount_nano_usd = ${usd * NANO}
    WHERE organization_id = ${organizationId}`.execute(db.database);

  return {
    deps,
    startNode,
    runJob,
    addAlert,
    spend,
    firings,
    scopes,
    addLimit,
    addMailChannel,
    setLimit,
  };
});

let organizationId: string;
let nowMs = NOW_MS;
const nodes: RunningJobs[] = [];
test.beforeEach(async ({ db }) => {
  organizationId = randomUUID();
  nowMs = NOW_MS;
  await db.database
    .insertInto("organization")
    .values({ id: organizationId, name: "Company" })
    .execute();
});
test.afterEach(async ({ db }) => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await sql`UPDATE alert SET deleted_at = now()`.execute(db.database);
  // A scope that cannot be evaluated is logged and skipped. No test may pass because of that.
  expect(logs.splice(0).filter((line) => line.includes("not evaluated"))).toEqual([]);
});

let made = 0;

interface Place {
  workspaceId: string;
  apiKeyId: string;
  memberId?: string;
  groupIds?: readonly string[];
  tagIds?: readonly string[];
}

/** Equal hours of five weeks, up to the hour before the current one. */
function usual(usd: number, days = 35): { atMs: number; usd: number }[] {
  return Array.from({ length: days * 24 }, (_, index) => ({
    atMs: HOUR - (index + 1) * HOUR_MS,
    usd,
  }));
}

const unusual: AlertCondition = { kind: "unusual_spend", factor: 4, min_usd: "5" };
const key: Place = { workspaceId: "wrkspc_a", apiKeyId: "apikey_a" };
const otherKey: Place = { workspaceId: "wrkspc_a", apiKeyId: "apikey_b" };

test("an unusual hour fires once, also after repeated and concurrent evaluations", async ({
  company,
}) => {
  const alertId = await company.addAlert(unusual);
  await company.spend(key, [...usual(2), { atMs: HOUR + 60_000, usd: 50 }]);
  company.startNode();
  company.startNode();
  await company.runJob();
  await company.runJob();
  // Concurrent evaluations without the queue.
  await Promise.all([
    evaluatePace(company.deps()),
    evaluatePace(company.deps()),
    evaluatePace(company.deps()),
  ]);
  expect(await company.firings()).toEqual([
    {
      ...{ alert_id: alertId, kind: "unusual_spend" },
      ...{ scope_type: "organization", scope_id: organizationId },
      ...{ episode: "2026-11-24T14", threshold: "1 hour" },
      facts: {
        period_starts_at: "2026-11-24T14:00:00.000Z",
        period_ends_at: "2026-11-24T15:00:00.000Z",
        minutes: 60,
        spent_usd: "50.00",
        usual_usd: "2.00",
      },
    },
  ]);
  // The next hour is another episode.
  nowMs += HOUR_MS;
  await company.spend(key, [{ atMs: nowMs, usd: 60 }]);
  await company.runJob();
  expect((await company.firings()).map(({ episode }) => episode)).toEqual([
    "2026-11-24T14",
    "2026-11-24T15",
  ]);
});

test("a usual hour, an hour below the minimum, and a scope without history fire nothing", async ({
  company,
}) => {
  await company.addAlert(unusual, undefined, true);
  await company.spend(key, [...usual(2), { atMs: HOUR, usd: 7 }]);
  await company.spend(otherKey, [{ atMs: HOUR, usd: 0.9 }]);
  await evaluatePace(company.deps());
  expect(await company.firings()).toEqual([]);
});

test("a slow leak fires once for its day", async ({ company }) => {
  const alertId = await company.addAlert(unusual);
  const today = NOW_MS - (NOW_MS % DAY_MS);
  const leak = Array.from({ length: 14 }, (_, hour) => ({ atMs: today + hour * HOUR_MS, usd: 3 }));
  await company.spend(key, [...usual(0.2), ...leak]);
  await evaluatePace(company.deps());
  nowMs += HOUR_MS;
  await company.spend(key, [{ atMs: nowMs, usd: 3 }]);
  await evaluatePace(company.deps());
  const found = await company.firings();
  expect(found).toMatchObject([
    {
      ...{ alert_id: alertId, episode: "2026-11-24", threshold: "1 day" },
      facts: { minutes: 1_440, spent_usd: "44.80", usual_usd: "4.80" },
    },
  ]);
  const [firing] = found;
  const words = describeFiring({
    ...{ kind: "unusual_spend", scopeType: "organization", scopeName: "Company" },
    ...{ threshold: "1 day", facts: firing?.facts ?? {} },
  });
  expect(words.title).toBe(
    "The organization Company spent $44.80 in a day, compared with the usual $4.80.",
  );
});

test("one cause fires once for the narrowest scope, and wider scopes report only other causes", async ({
  company,
}) => {
  await company.addAlert(unusual, undefined, true);
  await company.spend(key, [...usual(2), { atMs: HOUR, usd: 40 }]);
  await company.spend(otherKey, usual(2).slice(3));
  await evaluatePace(company.deps());
  expect(await company.scopes()).toEqual([["api_key", "apikey_a"]]);
  // The workspace reports a new key without history.
  await company.spend({ workspaceId: "wrkspc_a", apiKeyId: "apikey_new" }, [
    { atMs: HOUR, usd: 60 },
  ]);
  await evaluatePace(company.deps());
  expect(await company.scopes()).toEqual([
    ["api_key", "apikey_a"],
    ["workspace", "wrkspc_a"],
  ]);
});

test("an alert without child scopes fires for its own scope", async ({ company }) => {
  const wide = await company.addAlert(unusual);
  const narrow = await company.addAlert(unusual, { type: "workspace", id: "wrkspc_a" }, true);
  await company.spend(key, [...usual(2), { atMs: HOUR, usd: 40 }]);
  await evaluatePace(company.deps());
  const fired = (await company.firings()).map(({ alert_id, scope_type }) => [alert_id, scope_type]);
  expect(fired.sort()).toEqual(
    [
      [wide, "organization"],
      [narrow, "api_key"],
    ].sort(),
  );
});

test("wider scopes do not report a stopped leak again while its key is idle", async ({
  company,
}) => {
  await company.addAlert(unusual, undefined, true);
  const today = NOW_MS - (NOW_MS % DAY_MS);
  const leak = Array.from({ length: 10 }, (_, hour) => ({ atMs: today + hour * HOUR_MS, usd: 4 }));
  await company.spend(key, [...usual(0.2), ...leak]);
  await company.spend(otherKey, [...usual(0.01), { atMs: HOUR, usd: 0.01 }]);
  nowMs = today + 9.9 * HOUR_MS;
  await evaluatePace(company.deps());
  nowMs = NOW_MS;
  await evaluatePace(company.deps());
  expect(await company.scopes()).toEqual([["api_key", "apikey_a"]]);
});

test("an alert that is off fires nothing, and one of a workspace watches no other", async ({
  db,
  company,
}) => {
  const off = await company.addAlert(unusual);
  await sql`UPDATE alert SET is_enabled = false WHERE id = ${off}`.execute(db.database);
  await company.addAlert(unusual, { type: "workspace", id: "wrkspc_other" }, true);
  await company.spend(key, [...usual(2), { atMs: HOUR, usd: 50 }]);
  await evaluatePace(company.deps());
  expect(await company.firings()).toEqual([]);
});

test("a limit that will be reached fires once with the time, and again for another amount", async ({
  company,
}) => {
  const alertId = await company.addAlert({ kind: "forecast", percent: 100 });
  // At $2 an hour from the first, $1,134 is spent at 14:00 on the 24th. 33 hours later it is $1,200.
  await company.spend(key, [...usual(2), { atMs: HOUR, usd: 1.33 }]);
  await company.addLimit(1_200n, 1_134n);
  company.startNode();
  company.startNode();
  await company.runJob();
  await company.runJob();
  await Promise.all([evaluatePace(company.deps()), evaluatePace(company.deps())]);
  const [firing, ...others] = await company.firings();
  expect(others).toEqual([]);
  expect(firing).toMatchObject({
    ...{ alert_id: alertId, kind: "forecast", threshold: "100%" },
    episode: "monthly 2026-11-01 1200.00",
    facts: {
      ...{ period: "monthly", limit_usd: "1200.00", spent_usd: "1134.00", enforcement: "strict" },
      reached_at: "2026-11-25T23:40:00.000Z",
    },
  });
  expect(Number(firing?.facts.forecast_usd)).toBeCloseTo(1_134 + 2 * (6 * 24 + 9 + 1 / 3), 1);
  await company.setLimit(1_300n);
  await evaluatePace(company.deps());
  await evaluatePace(company.deps());
  expect((await company.firings()).map(({ episode }) => episode)).toEqual([
    "monthly 2026-11-01 1200.00",
    "monthly 2026-11-01 1300.00",
  ]);
});

test("forecasts for a workspace and its organization share one message", async ({
  db,
  company,
}) => {
  await company.addMailChannel(
    await company.addAlert({ kind: "forecast", percent: 100 }, undefined, true),
  );
  await company.spend(key, [...usual(2), { atMs: HOUR, usd: 1.33 }]);
  await company.addLimit(1_200n, 1_134n);
  await company.addLimit(1_200n, 1_134n, { type: "workspace", id: key.workspaceId });
  await evaluatePace(company.deps());
  const fired = await db.database
    .selectFrom("alert_firing")
    .select("id")
    .where("organization_id", "=", organizationId)
    .execute();
  expect(fired).toHaveLength(2);
  const deliveries = await db.database
    .selectFrom("alert_delivery as delivery")
    .innerJoin("alert_delivery_firing as other", "other.alert_delivery_id", "delivery.id")
    .select(["delivery.alert_firing_id", "other.alert_firing_id as other_firing_id"])
    .where("delivery.organization_id", "=", organizationId)
    .execute();
  expect(deliveries.flatMap((each) => [each.alert_firing_id, each.other_firing_id]).sort()).toEqual(
    fired.map(({ id }) => id).sort(),
  );
});

test("members, groups and tags have forecasts of their limits, and no unusual spend", async ({
  company,
}) => {
  const place = { workspaceId: "wrkspc_c", apiKeyId: "apikey_c" };
  const attributed = { ...place, memberId: "user_a", groupIds: ["group_a"], tagIds: ["tag_a"] };
  await company.spend(attributed, [...usual(2), { atMs: HOUR, usd: 50 }]);
  const people = [
    { type: "group", id: "group_a" },
    { type: "member", id: "user_a" },
    { type: "tag", id: "tag_a" },
  ];
  for (const scope of people) {
    await company.addLimit(1_250n, 1_200n, scope);
    await company.addAlert({ kind: "forecast", percent: 100 }, scope);
    await company.addAlert(unusual, scope);
  }
  await company.addAlert({ kind: "forecast", percent: 100 }, { type: "member", id: "user_b" });
  await evaluatePace(company.deps());
  const found = await company.firings();
  expect(found.map(({ kind, scope_id }) => [kind, scope_id])).toEqual(
    people.map(({ id }) => ["forecast", id]),
  );
  // An alert of the organization watches their limits too.
  await company.addAlert({ kind: "forecast", percent: 101 }, undefined, true);
  await evaluatePace(company.deps());
  expect((await company.firings()).filter(({ threshold }) => threshold === "101%").length).toBe(3);
});

test("a forecast needs a limit that will be reached, is not reached yet, and a week of history", async ({
  db,
  company,
}) => {
  await company.addAlert({ kind: "forecast", percent: 100 });
  await company.spend(key, [...usual(2), { atMs: HOUR, usd: 1 }]);
  await company.addLimit(1_500n, 1_134n);
  await evaluatePace(company.deps());
  await company.setLimit(1_134n);
  await evaluatePace(company.deps());
  expect(await company.firings()).toEqual([]);
  organizationId = randomUUID();
  await sql`INSERT INTO organization (id, name) VALUES (${organizationId}, 'Young')`.execute(
    db.database,
  );
  await company.addAlert({ kind: "forecast", percent: 100 });
  await company.spend(key, [...usual(2, 6), { atMs: HOUR, usd: 1 }]);
  await company.addLimit(300n, 290n);
  await evaluatePace(company.deps());
  expect(await company.firings()).toEqual([]);
});
