import type { alertFiring } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";

type Firing = z.output<typeof alertFiring>;

const test = base.extend("company", ({ h, org, workspaceId }) => {
  /** Spends $2 in a month, and creates an alert with these channels. Default threshold: $1. */
  async function fire(
    channelIds: readonly string[],
    thresholds: readonly object[] = aDollar,
  ): Promise<Firing> {
    const periodStart = `${new Date(h.clock.nowMs).toISOString().slice(0, 7)}-01`;
    const place = { organizationId: org.id, scopeId: workspaceId, periodStart };
    const month = { scopeType: "workspace", period: "monthly" } as const;
    const charge = { ...place, ...month, nanoUsd: 2_000_000_000n };
    await h.deps.database.transaction().execute((tx) => addToBalances(tx, [charge]));
    await org.admin.post("/v1/admin/alerts", {
      name: "A dollar",
      scope: { type: "workspace", workspace_id: workspaceId },
      condition: { kind: "spend_limit", thresholds },
      channel_ids: channelIds,
    });
    const { body } = await org.admin.get<Listed<Firing>>("/v1/admin/alert_firings");
    const [firing] = body.data;
    if (!firing) throw new Error("the alert fired nothing");
    return firing;
  }

  async function createChannel(name: string, target: object): Promise<string> {
    const { body } = await org.operator.post<{ id: string }>("/v1/admin/alert_channels", {
      name,
      target,
    });
    return body.id;
  }

  const pager = () =>
    createChannel("Pager", { kind: "pagerduty", routing_key: "k".repeat(32), region: "eu" });

  const acknowledge = (id: string, note = "Known.") =>
    org.admin.post<Firing>(`/v1/admin/alert_firings/${id}/acknowledge`, { note });

  /** Keys of jobs that acknowledge the firing's incidents. */
  async function acknowledgements(firingId: string): Promise<string[]> {
    const { rows } = await sql<{ key: string }>`
    SELECT key FROM graphile_worker.jobs WHERE key LIKE ${`acknowledge_alert:${firingId}:%`}`.execute(
      h.deps.database,
    );
    return rows.map(({ key }) => key);
  }

  const setStatus = (channelId: string, status: "sent" | "queued") =>
    h.deps.database
      .updateTable("alert_delivery")
      .set({ status })
      .where("alert_channel_id", "=", channelId)
      .execute();

  return { fire, createChannel, pager, acknowledge, acknowledgements, setStatus };
});

const aDollar = [{ amount_usd: 1 }];

test("an acknowledged firing has its author and latest note, and each change is audited", async ({
  h,
  org,
  company,
}) => {
  const { id } = await company.fire([]);
  const events = await watchEvents(h.deps.database, org.id);
  expect((await company.acknowledge(id, "Looking.")).body.note).toBe("Looking.");
  const { body } = await company.acknowledge(id, "A load test.");
  expect(body).toMatchObject({ note: "A load test.", acknowledged_by: { type: "admin_key" } });
  expect(body.acknowledged_at).not.toBeNull();
  expect((await events()).map(({ event }) => event)).toEqual([
    "alert_firing.acknowledged",
    "alert_firing.acknowledged",
  ]);
  const open = await org.admin.get<Listed<Firing>>("/v1/admin/alert_firings?is_acknowledged=false");
  expect(open.body.data).toEqual([]);
});

test("an acknowledged firing acknowledges its incident in PagerDuty, and no other channel", async ({
  company,
}) => {
  const pagerId = await company.pager();
  const slackId = await company.createChannel("Chat", {
    kind: "slack",
    url: "https://hooks.slack.com/services/T/B/x",
  });
  const { id } = await company.fire([pagerId, slackId]);
  await company.setStatus(pagerId, "sent");
  await company.setStatus(slackId, "sent");
  await company.acknowledge(id);
  expect(await company.acknowledgements(id)).toEqual([`acknowledge_alert:${id}:${pagerId}`]);
});

test("an acknowledged firing without an open incident queues no event", async ({ company }) => {
  const pagerId = await company.pager();
  const { id } = await company.fire([pagerId]);
  await company.setStatus(pagerId, "queued");
  await company.acknowledge(id);
  expect(await company.acknowledgements(id)).toEqual([]);
});

test("is_over filters firings by the end of their cause", async ({ org, company }) => {
  const { id, alert } = await company.fire([]);
  const list = async (query: string) => {
    const { body } = await org.admin.get<Listed<Firing>>(`/v1/admin/alert_firings?${query}`);
    return body.data.map((firing) => firing.id);
  };
  expect([await list("is_over=false"), await list("is_over=true")]).toEqual([[id], []]);
  await company.acknowledge(id);
  expect(await list("is_acknowledged=false&is_over=false")).toEqual([]);
  await org.admin.post(`/v1/admin/alerts/${alert.id}`, { is_enabled: false });
  expect([await list("is_over=false"), await list("is_over=true")]).toEqual([[], [id]]);
});

test("is_superseded=false lists the highest percentage and the highest amount", async ({
  org,
  workspaceId,
  company,
}) => {
  await org.admin.post("/v1/admin/workspaces/limits", {
    workspace_id: workspaceId,
    monthly_limit_usd: 2,
  });
  const percentages = [{ percent: 90 }, { percent: 100 }, { percent: 50 }];
  const daily = { amount_usd: 0.1, period: "daily" };
  const { alert } = await company.fire([], [...percentages, ...aDollar, { amount_usd: 2 }, daily]);
  const list = async (isSuperseded: boolean) => {
    const query = `alert_id=${alert.id}&is_superseded=${isSuperseded}`;
    const { body } = await org.admin.get<Listed<Firing>>(`/v1/admin/alert_firings?${query}`);
    return body.data.map(({ threshold }) => threshold).sort();
  };
  expect(await list(false)).toEqual(["$2.00", "100%"]);
  expect(await list(true)).toEqual(["$1.00", "50%", "90%"]);
});
