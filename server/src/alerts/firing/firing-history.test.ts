import type { alertGroup } from "@bursar/contract/admin/alert-groups.ts";
import type { alertFiring } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";

type Firing = z.output<typeof alertFiring>;

const test = base.extend("company", ({ h, org, workspaceId }) => {
  // The database compares spend with limits of current periods only.
  h.clock.nowMs = Date.now();
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

type Group = z.output<typeof alertGroup>;
const ACKNOWLEDGE = "/v1/admin/alert_firings/acknowledge";

/** Two alerts over one workspace: three firings of the first, and one of the second. */
const groupTest = test.extend("groups", async ({ h, org, workspaceId, company }) => {
  await company.fire([], [{ amount_usd: 0.5 }, { amount_usd: 1 }, { amount_usd: 1.5 }]);
  const { body: budget } = await org.admin.post<{ id: string }>("/v1/admin/alerts", {
    name: "Budget",
    scope: { type: "workspace", workspace_id: workspaceId },
    condition: { kind: "spend_limit", thresholds: aDollar },
  });

  const list = async (query = "", client: Client = org.admin) =>
    (await client.get<Listed<Group>>(`/v1/admin/alert_groups${query}`)).body.data;

  const acknowledge = (body: object, client: Client = org.admin) =>
    client.post<{ acknowledged: number; has_more: boolean }>(ACKNOWLEDGE, body);

  /** Records firings of the second alert about other scopes, or later ones of the workspace. */
  async function record(count: number, fields: Partial<NewFiring> = {}): Promise<string[]> {
    const { id: organizationId } = org;
    const firings = Array.from({ length: count }, (_, index) => ({
      ...{ organizationId, alertId: budget.id, kind: "spend_limit" as const, workspaceId },
      ...{ scopeType: "workspace" as const, scopeId: workspaceId, threshold: "$1.00", facts: {} },
      episode: `later ${index}`,
      ...fields,
    }));
    const recorded = await inTransaction(h.deps.database, (tx) =>
      recordFirings(tx, h.deps, firings),
    );
    return recorded.map(({ id }) => id);
  }

  return { list, acknowledge, record, id: `agroup_spend_limit.workspace.${workspaceId}` };
});

groupTest(
  "open firings of several alerts with one kind and scope are one group",
  async ({ org, workspaceId, groups }) => {
    const [group, ...others] = await groups.list();
    expect(others).toEqual([]);
    expect(group).toMatchObject({
      ...{ id: groups.id, kind: "spend_limit", workspace_id: workspaceId, severity: "warning" },
      ...{ scope: { type: "workspace", workspace_id: workspaceId }, firings: 4, open_firings: 4 },
    });
    expect(group?.alerts.map(({ name }) => name)).toEqual(["A dollar", "Budget"]);
    expect(group?.title).toMatch(/has spent \$2\.00 this month/);
    const query = `/v1/admin/alert_firings?alert_group_id=${group?.id}`;
    const { body } = await org.admin.get<Listed<Firing>>(query);
    expect(body.data).toHaveLength(4);
    expect(body.data.map(({ id }) => id)).toContain(group?.newest_firing_id);
  },
);

groupTest(
  "groups are filtered by state, kind, workspace and end",
  async ({ org, workspaceId, groups }) => {
    const count = async (query: string) => (await groups.list(`?${query}`)).length;
    const { id: otherId } = await org.admin.createWorkspace();
    expect(await count("kinds=spend_limit")).toBe(1);
    expect(await count("kinds=forecast")).toBe(0);
    expect(await count(`workspace_id=${workspaceId}`)).toBe(1);
    expect(await count(`workspace_id=${otherId}`)).toBe(0);
    expect([await count("is_over=false"), await count("is_over=true")]).toEqual([1, 0]);
    const [group] = await groups.list("?is_over=false&is_superseded=false");
    expect(group).toMatchObject({
      firings: 2,
      period_ends_at: expect.stringMatching(/-01T00:00:00/),
    });
    expect([await count("state=acknowledged"), await count("state=all")]).toEqual([0, 1]);
  },
);

groupTest("a group has its highest severity, and describes a reached limit", async ({ groups }) => {
  const [reached] = await groups.record(1, { threshold: "100%" });
  await groups.record(1, { threshold: "75%", episode: "after a raise" });
  expect(await groups.list()).toMatchObject([{ severity: "critical", newest_firing_id: reached }]);
});

groupTest("pages of groups have the newest firing first", async ({ org, workspaceId, groups }) => {
  const { id: otherId } = await org.admin.createWorkspace();
  await groups.record(1, { scopeId: otherId, workspaceId: otherId });
  const path = "/v1/admin/alert_groups?limit=1";
  const { body: first } = await org.admin.get<Listed<Group> & { next_page: string }>(path);
  const { body: second } = await org.admin.get<Listed<Group>>(`${path}&page=${first.next_page}`);
  const scopes = [...first.data, ...second.data].map((group) => group.workspace_id);
  expect(scopes).toEqual([otherId, workspaceId]);
});

groupTest(
  "pages by severity have critical groups first, then the newest",
  async ({ org, groups }) => {
    const early = await org.admin.createWorkspace();
    const late = await org.admin.createWorkspace();
    const quiet = await org.admin.createWorkspace();
    const ruleOf = async (kind: "limit_overrun" | "key_unused", terms = {}) => {
      const scope = { type: "organization" };
      const rule = { name: kind, scope, condition: { kind, ...terms } };
      const { body } = await org.admin.post<{ id: string }>("/v1/admin/alerts", rule);
      return { alertId: body.id, kind, threshold: "once" };
    };
    const of = ({ id }: { id: string }) => ({ scopeId: id, workspaceId: id });
    await groups.record(1, { ...of(early), threshold: "100%" });
    await groups.record(1, { ...of(late), ...(await ruleOf("limit_overrun")) });
    await groups.record(1, { ...of(quiet), ...(await ruleOf("key_unused", { days: 90 })) });
    const path = "/v1/admin/alert_groups?order=severity&limit=1";
    const found: Group[] = [];
    for (let page: string | null = ""; page !== null && found.length < 9; ) {
      type Page = Listed<Group> & { next_page: string | null };
      const { body }: { body: Page } = await org.admin.get<Page>(`${path}${page}`);
      found.push(...body.data);
      page = body.next_page === null ? null : `&page=${body.next_page}`;
    }
    expect(found.map(({ severity }) => severity)).toEqual([
      ...["critical", "critical", "warning", "info"],
    ]);
    expect(found.slice(0, 2).map(({ workspace_id }) => workspace_id)).toEqual([late.id, early.id]);
  },
);

groupTest("a cursor by severity without a rank is refused", async ({ org, groups }) => {
  const { id } = await org.admin.createWorkspace();
  await groups.record(1, { scopeId: id, workspaceId: id });
  const path = "/v1/admin/alert_groups?order=severity&limit=1";
  const { body } = await org.admin.get<Listed<Group> & { next_page: string }>(path);
  const parts = JSON.parse(Buffer.from(body.next_page, "base64url").toString("utf8")) as unknown[];
  const forged = Buffer.from(JSON.stringify([...parts.slice(0, -1), "x.y"])).toString("base64url");
  const { status } = await org.admin.get(`${path}&page=${forged}`);
  expect(status).toBe(400);
});

groupTest(
  "an acknowledged group has one audit event, and its notes stay",
  async ({ h, org, workspaceId, groups }) => {
    const [newest] = await groups.list();
    await org.admin.post(`/v1/admin/alert_firings/${newest?.newest_firing_id}/acknowledge`, {
      note: "First.",
    });
    const open = (await groups.list())[0]?.open_firings ?? 0;
    const events = await watchEvents(h.deps.database, org.id);
    const answer = await groups.acknowledge({ alert_group_ids: [groups.id], note: "A load test." });
    expect(answer.body).toMatchObject({ acknowledged: open, has_more: false });
    expect(await groups.list()).toEqual([]);
    const [event, ...others] = await events();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      event: "alert_firing.several_acknowledged",
      workspace_id: workspaceId,
      after: {
        note: "A load test.",
        alert_firing_ids: Array.from({ length: open }, () => expect.stringMatching(/^firing_/)),
      },
    });
    const first = await org.admin.get<Firing>(
      `/v1/admin/alert_firings/${newest?.newest_firing_id}`,
    );
    expect(first.body.note).toBe("First.");
    const again = await groups.acknowledge({ alert_group_ids: [groups.id] });
    expect(again.body).toMatchObject({ acknowledged: 0 });
    expect(await events()).toHaveLength(1);
  },
);

groupTest("a group is acknowledged up to a time, and 500 firings at once", async ({ groups }) => {
  const [group] = await groups.list();
  await groups.record(600);
  const fired_at_lte = group?.last_fired_at;
  const early = await groups.acknowledge({ alert_group_ids: [groups.id], fired_at_lte });
  expect(early.body.acknowledged).toBe(group?.firings);
  const first = await groups.acknowledge({ alert_group_ids: [groups.id] });
  expect(first.body).toMatchObject({ acknowledged: 500, has_more: true });
  const rest = await groups.acknowledge({ alert_group_ids: [groups.id] });
  expect(rest.body).toMatchObject({ acknowledged: 100, has_more: false });
});

groupTest(
  "firings of several workspaces are acknowledged by their ids, or none of them",
  async ({ h, org, workspaceId, groups }) => {
    const { id: otherId } = await org.admin.createWorkspace();
    const alert_firing_ids = [
      ...(await groups.record(2)),
      ...(await groups.record(1, { scopeId: otherId, workspaceId: otherId })),
    ];
    const admin = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const reader = await org.member({
      workspaces: { [workspaceId]: "workspace_admin", [otherId]: "workspace_developer" },
    });
    expect((await groups.acknowledge({ alert_firing_ids }, admin.client)).status).toBe(404);
    expect((await groups.acknowledge({ alert_firing_ids }, reader.client)).status).toBe(403);
    const events = await watchEvents(h.deps.database, org.id);
    expect((await groups.acknowledge({ alert_firing_ids })).body.acknowledged).toBe(3);
    expect(await events()).toMatchObject([{ workspace_id: null }]);
    const unknown = { alert_group_ids: ["agroup_spend_limit.workspace.wksp_x"] };
    expect((await groups.acknowledge(unknown)).status).toBe(404);
    expect((await groups.acknowledge({ ...unknown, alert_firing_ids })).status).toBe(400);
    expect((await groups.acknowledge({ note: "Nothing named." })).status).toBe(400);
  },
);
