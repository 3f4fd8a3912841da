import type { AlertCondition, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { listOpenIncidents } from "#src/alerts/channels/open-incidents.sql.ts";
import { queueAcknowledgement } from "#src/alerts/channels/queue-deliveries.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { runJobs } from "#src/jobs/run-jobs.ts";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import { test as base } from "#test/harness/alerting-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { answerWith } from "#test/harness/receiver.ts";
import { makeAlertDeliveryJobs } from "./alert-jobs.ts";
import { endIncidents } from "./end-incidents.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordDigests, recordFirings } from "./record-firings.ts";
import type { RecordedFiring } from "./recorded-firing.ts";
import { saveEpisodes } from "./request-alerts.sql.ts";

const ROUTING_KEY = "0123456789abcdef0123456789abcdef";
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NANO = 1_000_000_000n;

const test = base.extend("alerts", ({ a }) => {
  async function createAlert(condition: AlertCondition): Promise<string> {
    const { body } = await a.org.admin.post<{ id: string }>("/v1/admin/alerts", {
      name: "Watch",
      scope: { type: "workspace", workspace_id: workspaceId },
      condition,
      channel_ids: [channelId],
    });
    return body.id;
  }

  const toFiring = (alertId: string, { condition, scope, episode = "once", ...of }: Fired) => ({
    ...{ organizationId: a.org.id, alertId, kind: condition.kind, workspaceId },
    ...{ scopeType: scope.type, scopeId: scope.id, episode, threshold: of.threshold },
    facts: of.facts,
  });

  /** Records firings of one evaluation, and opens their incidents. */
  async function send(
    firings: readonly NewFiring[],
    record: typeof recordFirings = recordDigests,
  ): Promise<RecordedFiring[]> {
    const { database } = a.h.deps;
    const recorded = await inTransaction(database, (tx) => record(tx, a.h.deps, firings));
    const ids = recorded.map(({ id }) => id);
    const queued = await database
      .selectFrom("alert_delivery")
      .select("id")
      .where("alert_firing_id", "in", ids)
      .execute();
    for (const { id } of queued) await a.attempt(id);
    return recorded;
  }

  /** Fires an alert and opens its incident. Returns the ids of the alert and of the incident's firing. */
  async function open(
    ...fired: [Fired, ...Fired[]]
  ): Promise<{ alertId: string; firingId: string }> {
    const alertId = await createAlert(fired[0].condition);
    const [first] = await send(fired.map((each) => toFiring(alertId, each)));
    return { alertId, firingId: first?.id ?? "" };
  }

  /** Incidents that the receiver was asked to open. */
  const opened = () => a.receiver.received.map(({ body }) => String(JSON.parse(body)["dedup_key"]));

  /** Ends incidents at this time. Returns the firings of all queued resolutions. */
  async function ended(atMs = a.h.clock.nowMs): Promise<string[]> {
    a.h.clock.nowMs = atMs;
    await Promise.all([endIncidents(a.h.deps), endIncidents(a.h.deps)]);
    const { rows } = await sql<{ key: string }>`
    SELECT key FROM graphile_worker.jobs WHERE key LIKE ${`resolve_alert:%:${channelId}`}`.execute(
      a.h.deps.database,
    );
    return rows.map(({ key }) => key.split(":")[1] ?? "");
  }

  const setLimit = (amount: string) =>
    a.org.admin.post("/v1/admin/workspaces/limits", {
      workspace_id: workspaceId,
      monthly_limit_usd: amount,
    });

  const fire = (limit: Pick<Fired, "condition" | "facts">, threshold: string) =>
    open({ ...limit, scope: workspaceScope(), threshold });

  const openOne = async (condition: AlertCondition) => {
    const { id } = await a.org.operator.createApiKey(workspaceId);
    const fired = { condition, scope: keyScope(id), threshold: "10.0.0.0/24", facts: {} };
    return { keyId: id, ...(await open(fired)) };
  };

  const disable = (id: string) =>
    a.org.operator.post(`/v1/admin/api_keys/${id}`, { status: "inactive" });

  return {
    ...{ createAlert, toFiring, send, open, opened },
    ended,
    setLimit,
    fire,
    openOne,
    disable,
  };
});

let startMs: number;
let workspaceId: string;
let channelId: string;

test.beforeAll(async ({ a }) => {
  startMs = a.h.clock.nowMs;
});
test.beforeEach(async ({ a }) => {
  a.h.clock.nowMs = startMs;
  a.receiver.received.length = 0;
  a.receiver.answer = answerWith(200);
  // Ends the incidents of other tests.
  await sql`UPDATE alert_delivery SET resolved_at = now()`.execute(a.h.deps.database);
  await sql`DELETE FROM graphile_worker._private_jobs`.execute(a.h.deps.database);
  ({ id: workspaceId } = await a.org.admin.createWorkspace());
  ({ id: channelId } = await a.createChannel({ kind: "pagerduty", routing_key: ROUTING_KEY }));
});

const iso = (ms: number) => new Date(ms).toISOString();

interface Fired {
  condition: AlertCondition;
  scope: { type: "workspace" | "api_key"; id: string };
  episode?: string;
  threshold: string;
  facts: FiringFacts;
}

const workspaceScope = () => ({ type: "workspace", id: workspaceId }) as const;
const keyScope = (id: string) => ({ type: "api_key", id }) as const;

describe("an incident about a limit is over", () => {
  const condition: AlertCondition = { kind: "spend_limit", thresholds: [{ percent: 75 }] };
  let monthStartMs: number;
  let monthEndMs: number;
  let facts: FiringFacts;

  test.beforeEach(async ({ a, alerts }) => {
    const now = new Date(startMs);
    monthStartMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
    monthEndMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
    const period = { period: "monthly", period_starts_at: iso(monthStartMs) } as const;
    facts = { ...period, period_ends_at: iso(monthEndMs), limit_usd: "10.00", spent_usd: "8.00" };
    const at = { organizationId: a.org.id, scopeType: "workspace", scopeId: workspaceId } as const;
    const periodStart = iso(monthStartMs).slice(0, 10);
    const charge = { ...at, period: "monthly", periodStart, nanoUsd: 8n * NANO } as const;
    await inTransaction(a.h.deps.database, (tx) => addToBalances(tx, [charge]));
    await alerts.setLimit("10");
  });

  test("when the limit is raised far enough", async ({ alerts }) => {
    const { firingId } = await alerts.fire({ condition, facts }, "75%");
    expect(await alerts.ended()).toEqual([]);
    await alerts.setLimit("10.50");
    expect(await alerts.ended()).toEqual([]);
    await alerts.setLimit("12");
    expect(await alerts.ended()).toEqual([firingId]);
  });

  test("for an overrun, when the limit is raised to the spend", async ({ alerts }) => {
    const overrun: AlertCondition = { kind: "limit_overrun" };
    await alerts.setLimit("7");
    const { firingId } = await alerts.open({
      condition: overrun,
      scope: workspaceScope(),
      threshold: "over limit",
      facts: { ...facts, limit_usd: "7.00", overrun_usd: "1.00" },
    });
    expect(await alerts.ended()).toEqual([]);
    await alerts.setLimit("7.50");
    expect(await alerts.ended()).toEqual([]);
    await alerts.setLimit("8");
    expect(await alerts.ended()).toEqual([firingId]);
  });

  test("when the period ends", async ({ alerts }) => {
    const { firingId } = await alerts.fire({ condition, facts }, "75%");
    expect(await alerts.ended(monthEndMs - 1)).toEqual([]);
    expect(await alerts.ended(monthEndMs)).toEqual([firingId]);
  });

  test("for a refusal with less settled, when the limit changes", async ({ alerts }) => {
    const { firingId } = await alerts.fire({ condition, facts }, "100%");
    expect(await alerts.ended()).toEqual([]);
    await alerts.setLimit("11");
    expect(await alerts.ended()).toEqual([firingId]);
  });

  test("for an amount, only when the period ends", async ({ alerts }) => {
    const { firingId } = await alerts.fire({ condition, facts }, "$5.00");
    await alerts.setLimit("1000");
    expect(await alerts.ended()).toEqual([]);
    expect(await alerts.ended(monthEndMs)).toEqual([firingId]);
  });

  test("for a forecast, when the limit changes", async ({ alerts }) => {
    const of = { condition: { kind: "forecast", percent: 100 }, scope: workspaceScope() } as const;
    const { firingId } = await alerts.open({ ...of, threshold: "100%", facts });
    expect(await alerts.ended()).toEqual([]);
    await alerts.setLimit("10.50");
    expect(await alerts.ended()).toEqual([firingId]);
  });

  test("when its alert is disabled or deleted", async ({ a, alerts }) => {
    const off = await alerts.fire({ condition, facts }, "75%");
    const deleted = await alerts.fire({ condition, facts }, "75%");
    await a.org.admin.post(`/v1/admin/alerts/${off.alertId}`, { is_enabled: false });
    expect(await alerts.ended()).toEqual([off.firingId]);
    await a.org.admin.remove(`/v1/admin/alerts/${deleted.alertId}`);
    expect((await alerts.ended()).sort()).toEqual([off.firingId, deleted.firingId].sort());
  });
});

test("an incident about an unusual hour is over an hour after its end", async ({ alerts }) => {
  const condition: AlertCondition = { kind: "unusual_spend", factor: 4, min_usd: "5" };
  const endMs = startMs + 20 * MINUTE_MS;
  const facts = { period_ends_at: iso(endMs), minutes: 60, spent_usd: "50.00" };
  const of = { condition, scope: workspaceScope(), threshold: "1 hour" };
  const { firingId } = await alerts.open({ ...of, facts });
  expect(await alerts.ended(endMs + 59 * MINUTE_MS)).toEqual([]);
  expect(await alerts.ended(endMs + 60 * MINUTE_MS)).toEqual([firingId]);
});

test("an incident about upstream errors is over after a whole window without them", async ({
  a,
  alerts,
}) => {
  const condition: AlertCondition = {
    ...{ kind: "upstream_errors", percent: 20, min_requests: 1, minutes: 15 },
  };
  const of = { condition, scope: workspaceScope(), threshold: "20%", facts: {} };
  const { alertId, firingId } = await alerts.open({ ...of, episode: iso(startMs) });
  const seen = (minute: number) =>
    inTransaction(a.h.deps.database, (tx) => {
      const scope = { scopeType: "workspace", scopeId: workspaceId, workspaceId } as const;
      const counts = { threshold: "20%", minutes: 15, requests: 9, failedRequests: 9 };
      const finding = { alertId, organizationId: a.org.id, ...scope, ...counts };
      return saveEpisodes(tx, [finding], new Date(startMs + minute * MINUTE_MS));
    });
  await seen(0);
  await seen(10);
  expect(await alerts.ended(startMs + 25 * MINUTE_MS)).toEqual([]);
  expect(await alerts.ended(startMs + 26 * MINUTE_MS)).toEqual([firingId]);
});

describe("an incident about keys is over", () => {
  const expiring: AlertCondition = { kind: "key_expiring", days: [14] };

  test("when the key has another expiry, has expired, or is disabled", async ({ a, alerts }) => {
    const expires_at = iso(startMs + 10 * DAY_MS);
    const keys = await Promise.all(
      [1, 2, 3].map(() => a.org.operator.createApiKey(workspaceId, { expires_at })),
    );
    const incidents = await Promise.all(
      keys.map(({ id }) =>
        alerts.open({
          condition: expiring,
          scope: keyScope(id),
          threshold: "14 days",
          facts: { expires_at },
        }),
      ),
    );
    const [moved, disabled, expired] = incidents.map(({ firingId }) => firingId);
    expect(await alerts.ended()).toEqual([]);
    const update = (index: number, body: object) =>
      a.org.operator.post(`/v1/admin/api_keys/${keys[index]?.id}`, body);
    await update(0, { expires_at: iso(startMs + 30 * DAY_MS) });
    await update(1, { status: "inactive" });
    expect((await alerts.ended()).sort()).toEqual([moved, disabled].sort());
    expect((await alerts.ended(startMs + 10 * DAY_MS)).sort()).toEqual(
      [moved, disabled, expired].sort(),
    );
  });

  test("when all keys of a digest are used again or archived", async ({ a, alerts }) => {
    const keys = [
      await a.org.operator.createApiKey(workspaceId),
      await a.org.operator.createApiKey(workspaceId),
    ];
    const [first, second] = keys.map(({ id }): Fired => {
      const facts = { last_used_at: null };
      return {
        condition: { kind: "key_unused", days: 30 },
        scope: keyScope(id),
        threshold: "30 days",
        facts,
      };
    });
    if (!first || !second) throw new Error("no keys");
    const { firingId } = await alerts.open(first, second);
    expect(await alerts.ended()).toEqual([]);
    await a.org.operator.post(`/v1/admin/api_keys/${keys[0]?.id}`, { status: "archived" });
    expect(await alerts.ended()).toEqual([]);
    await a.h.deps.database
      .updateTable("api_key_secret")
      .set({ last_used_at: new Date(Date.now() + MINUTE_MS) })
      .where("api_key_id", "=", keys[1]?.id ?? "")
      .execute();
    expect(await alerts.ended()).toEqual([firingId]);
  });
});

describe("an incident that several alerts share", () => {
  test("is over when the last of them is, under the key that opened it", async ({ a, alerts }) => {
    const condition: AlertCondition = { kind: "key_new_address" };
    const { id } = await a.org.operator.createApiKey(workspaceId);
    const fired = { condition, scope: keyScope(id), threshold: "10.0.0.0/24", facts: {} };
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await alerts.createAlert(condition));
    await alerts.send(
      ids.map((alertId) => alerts.toFiring(alertId, fired)),
      recordFirings,
    );
    const incidents = alerts.opened();
    expect(incidents).toHaveLength(1);
    for (const alertId of ids) {
      expect(await alerts.ended()).toEqual([]);
      await a.org.admin.post(`/v1/admin/alerts/${alertId}`, { is_enabled: false });
    }
    expect(await alerts.ended()).toEqual(incidents);
  });

  test("about unused keys is over when the last key of each is archived", async ({ a, alerts }) => {
    const condition: AlertCondition = { kind: "key_unused", days: 30 };
    const fired = { condition, threshold: "30 days", facts: { last_used_at: null } };
    const firings: NewFiring[] = [];
    for (const count of [1, 2]) {
      const alertId = await alerts.createAlert(condition);
      for (let i = 0; i < count; i++) {
        const { id } = await a.org.operator.createApiKey(workspaceId);
        firings.push(alerts.toFiring(alertId, { ...fired, scope: keyScope(id) }));
      }
    }
    const recorded = await alerts.send(firings);
    const incidents = alerts.opened();
    expect(incidents).toHaveLength(1);
    for (const { scopeId } of recorded) {
      expect(await alerts.ended()).toEqual([]);
      await a.org.operator.post(`/v1/admin/api_keys/${scopeId}`, { status: "archived" });
    }
    expect(await alerts.ended()).toEqual(incidents);
    const last = recorded.map(({ id }) => id).at(-1) ?? "";
    await inTransaction(a.h.deps.database, async (tx) => {
      await sql`UPDATE alert_delivery SET resolved_at = NULL WHERE alert_channel_id = ${channelId}`.execute(
        tx,
      );
      expect(await listOpenIncidents(tx, [last])).toEqual([{ channelId, firingId: incidents[0] }]);
    });
  });
});

test("an acknowledged firing acknowledges its incident under the same key", async ({ a }) => {
  const { firingId, deliveryIds } = await a.fire([channelId]);
  await a.attempt(deliveryIds[0] ?? "");
  await inTransaction(a.h.deps.database, (tx) => queueAcknowledgement(tx, [firingId]));
  const jobs = makeAlertDeliveryJobs(a.h.deps);
  const incident = { firing_id: firingId, channel_id: channelId };
  await jobs["acknowledge_alert"]?.(incident, { isLast: false });
  expect(a.receiver.received.map(({ body }) => JSON.parse(body))).toMatchObject([
    { event_action: "trigger", dedup_key: firingId },
    { event_action: "acknowledge", dedup_key: firingId, routing_key: ROUTING_KEY },
  ]);
});

describe("the end of an incident", () => {
  const condition: AlertCondition = { kind: "key_new_address" };

  test("is sent once with the incident's key, and retried until PagerDuty accepts it", async ({
    a,
    alerts,
  }) => {
    const { keyId, firingId } = await alerts.openOne(condition);
    const [trigger] = a.receiver.received.splice(0);
    expect(JSON.parse(trigger?.body ?? "{}")).toMatchObject({
      event_action: "trigger",
      dedup_key: firingId,
    });
    await alerts.disable(keyId);
    await alerts.ended();
    let answers = 0;
    a.receiver.answer = (response, message) => {
      answerWith(++answers === 1 ? 500 : 202)(response, message);
    };
    const { connectionString, deps } = a.h;
    const jobs = makeAlertDeliveryJobs(deps);
    const node = runJobs({ connectionString, jobs, schedule: {}, logger: deps.logger });
    try {
      await eventually(30_000, "two attempts", async () => (answers === 2 ? true : null));
    } finally {
      await node.stop();
    }
    for (const { path, body } of a.receiver.received) {
      expect(path).toBe("/pagerduty/us");
      expect(JSON.parse(body)).toEqual({
        routing_key: ROUTING_KEY,
        event_action: "resolve",
        dedup_key: firingId,
      });
    }
    expect(await alerts.ended()).toEqual([]);
  });

  test("waits while its channel is off, or its message is not sent yet", async ({ a, alerts }) => {
    const { keyId, firingId } = await alerts.openOne(condition);
    await a.org.admin.post(`/v1/admin/alert_channels/${channelId}`, { is_enabled: false });
    await alerts.disable(keyId);
    expect(await alerts.ended()).toEqual([]);
    await a.org.admin.post(`/v1/admin/alert_channels/${channelId}`, { is_enabled: true });
    const setStatus = (status: "queued" | "sent") =>
      a.h.deps.database
        .updateTable("alert_delivery")
        .set({ status })
        .where("alert_firing_id", "=", firingId)
        .execute();
    await setStatus("queued");
    expect(await alerts.ended()).toEqual([]);
    await setStatus("sent");
    expect(await alerts.ended()).toEqual([firingId]);
  });

  test("prevents a later acknowledgement", async ({ a, alerts }) => {
    const { keyId, firingId } = await alerts.openOne(condition);
    await alerts.disable(keyId);
    await alerts.ended();
    await a.org.admin.post(`/v1/admin/alert_firings/${firingId}/acknowledge`, {});
    const { rows } = await sql<{ key: string }>`
      SELECT key FROM graphile_worker.jobs WHERE key LIKE 'acknowledge_alert:%'`.execute(
      a.h.deps.database,
    );
    expect(rows).toEqual([]);
  });
});
