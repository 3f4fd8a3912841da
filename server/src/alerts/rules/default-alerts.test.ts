import type { alertPreview } from "@bursar/contract/admin/alert-preview.ts";
import type { alert } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { noCost } from "#src/domain/usage.ts";
import { newId } from "#src/lib/ids.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { createDefaultAlerts, createLaterAlerts } from "./default-alerts.ts";

type Alert = z.output<typeof alert>;

const test = base
  .extend(
    "alerts",
    ({ org }) =>
      async (): Promise<Alert[]> =>
        (await org.admin.get<Listed<Alert>>("/v1/admin/alerts")).body.data,
  )
  .extend(
    "names",
    ({ alerts }) =>
      async () =>
        (await alerts()).map(({ name }) => name),
  );

test("a new organization has default alerts, with mail to its Owners and Admins", async ({
  h,
  org,
  alerts,
}) => {
  await createDefaultAlerts(h.deps);
  const found = await alerts();
  expect(found).toHaveLength(8);
  const byName = new Map(found.map((each) => [each.name, each]));
  const common = {
    scope: { type: "organization" },
    includes_below: true,
    is_enabled: true,
    channels: [{ name: "Owners and Admins", kind: "email", is_working: true }],
  };
  expect(byName.get("Spend limits")).toMatchObject({
    ...common,
    condition: {
      kind: "spend_limit",
      thresholds: [{ percent: 50 }, { percent: 75 }, { percent: 90 }, { percent: 100 }],
    },
    notifies_owner: false,
    collect_minutes: 5,
  });
  expect(byName.get("Spend beyond limits")).toMatchObject({
    ...common,
    condition: { kind: "limit_overrun" },
  });
  expect(byName.get("Keys about to expire")).toMatchObject({
    ...common,
    condition: { kind: "key_expiring", days: [14, 3] },
    notifies_owner: true,
  });
  expect(byName.get("Forecast")).toMatchObject({
    ...common,
    condition: { kind: "forecast", percent: 100 },
  });
  expect(byName.get("Unusual spend")).toMatchObject({
    ...common,
    condition: { kind: "unusual_spend", factor: 4, min_usd: 5 },
  });
  expect(byName.get("Upstream errors")).toMatchObject({
    ...common,
    includes_below: false,
    condition: { kind: "upstream_errors", percent: 20, min_requests: 20, minutes: 15 },
  });
  expect(byName.get("Models and tools beyond their bounds")).toMatchObject({
    ...common,
    includes_below: false,
    condition: { kind: "bound_exceeded" },
  });
  const { body } = await org.operator.get<Listed<{ recipients: unknown }>>(
    "/v1/admin/alert_channels",
  );
  expect(body.data.map(({ recipients }) => recipients)).toEqual([
    { roles: ["owner", "admin"], addresses: [] },
  ]);
});

test("a new alert without channels uses the channel of the default alerts", async ({ h, org }) => {
  await createDefaultAlerts(h.deps);
  const { body } = await org.admin.post<Alert>("/v1/admin/alerts", {
    name: "Mine",
    scope: { type: "organization" },
    condition: { kind: "spend_limit" },
  });
  expect(body.channels.map(({ name }) => name)).toEqual(["Owners and Admins"]);
});

test("concurrent nodes create the default alerts once, and deleted alerts do not come back", async ({
  h,
  org,
  alerts,
}) => {
  await Promise.all([1, 2, 3, 4].map(() => createDefaultAlerts(h.deps)));
  const found = await alerts();
  expect(found).toHaveLength(8);
  for (const { id } of found) await org.admin.remove(`/v1/admin/alerts/${id}`);
  await createDefaultAlerts(h.deps);
  expect(await alerts()).toEqual([]);
});

test("the audit log names the server as the creator of the default alerts", async ({ h, org }) => {
  const events = await watchEvents(h.deps.database, org.id);
  await createDefaultAlerts(h.deps);
  const made = (await events()).map(({ event, actor_type, actor_id }) => {
    return `${event} by ${actor_type} ${actor_id}`;
  });
  expect(made).toEqual([
    "alert_channel.created by system first_alerts",
    "alert.created by system first_alerts",
    "alert.created by system first_alerts",
    "alert.created by system first_alerts",
    "alert.created by system first_alerts",
    "alert.created by system first_alerts",
    "alert.created by system first_alerts",
    "alert.created by system first_alerts",
    "alert.created by system first_alerts",
  ]);
});

describe("an organization whose default alerts lack the one about spend beyond limits", () => {
  test.beforeEach(async ({ h, org, alerts }) => {
    await createDefaultAlerts(h.deps);
    const older = (await alerts()).find(({ name }) => name === "Spend beyond limits");
    await org.admin.remove(`/v1/admin/alerts/${older?.id}`);
    await h.deps.database
      .updateTable("organization")
      .set({ has_overrun_alert: false })
      .where("id", "=", org.id)
      .execute();
  });

  test("gets the alert once, with mail to Owners and Admins", async ({ h, org, alerts, names }) => {
    expect(await names()).not.toContain("Spend beyond limits");
    await Promise.all([1, 2, 3].map(() => createLaterAlerts(h.deps)));
    const [made, ...others] = (await alerts()).filter(
      ({ condition }) => condition.kind === "limit_overrun",
    );
    expect(others).toEqual([]);
    expect(made?.channels.map(({ name }) => name)).toEqual(["Owners and Admins"]);
    await org.admin.remove(`/v1/admin/alerts/${made?.id}`);
    await createLaterAlerts(h.deps);
    expect(await names()).not.toContain("Spend beyond limits");
  });

  test("does not get the alert while a node of an older version is alive", async ({ h, names }) => {
    const { database } = h.deps;
    const node = { id: "node_old", journal_id: "journal", version: "0.0.1" };
    const lease_expires_at = new Date(Date.now() + 60_000);
    await database
      .insertInto("node")
      .values({ ...node, lease_expires_at })
      .execute();
    await createLaterAlerts(h.deps);
    expect(await names()).not.toContain("Spend beyond limits");
    await database.deleteFrom("node").where("id", "=", node.id).execute();
    await createLaterAlerts(h.deps);
    expect(await names()).toContain("Spend beyond limits");
  });
});

test.for([
  ["has_failover_alert", "Database failovers"],
  ["has_bound_alert", "Models and tools beyond their bounds"],
] as const)(
  "an organization without %s gets the alert %s once",
  async ([mark, wanted], { h, org, alerts, names }) => {
    await createDefaultAlerts(h.deps);
    const older = (await alerts()).find(({ name }) => name === wanted);
    await org.admin.remove(`/v1/admin/alerts/${older?.id}`);
    await h.deps.database
      .updateTable("organization")
      .set({ [mark]: false })
      .where("id", "=", org.id)
      .execute();
    await Promise.all([1, 2, 3].map(() => createLaterAlerts(h.deps)));
    expect((await names()).filter((name) => name === wanted)).toHaveLength(1);
  },
);

describe("a preview of a new alert", () => {
  const preview = async (client: Client, fields: object) =>
    (await client.post<z.output<typeof alertPreview>>("/v1/admin/alerts/preview", fields)).body;
  const spendLimit = (...percents: number[]) => ({
    kind: "spend_limit",
    thresholds: percents.map((percent) => ({ percent })),
  });

  test("names the alerts that cover it, and says whether it adds something", async ({
    h,
    org,
    alerts,
    workspaceId,
  }) => {
    await createDefaultAlerts(h.deps);
    const existing = (await alerts()).find(({ name }) => name === "Spend limits");
    const [channel] = existing?.channels ?? [];
    const scope = { type: "workspace", workspace_id: workspaceId };
    const channel_ids = [channel?.id];
    const same = await preview(org.admin, { scope, channel_ids, condition: spendLimit(90) });
    expect(same).toMatchObject({
      covered_by: [{ id: existing?.id, name: "Spend limits", coverage: "whole" }],
      adds_nothing: true,
    });
    const more = await preview(org.admin, { scope, channel_ids, condition: spendLimit(80, 90) });
    expect(more).toMatchObject({ covered_by: [{ coverage: "part" }], adds_nothing: false });
    const itself = { scope: { type: "organization" }, condition: spendLimit(90) };
    const changed = await preview(org.admin, { ...itself, alert_id: existing?.id });
    expect(changed).toMatchObject({ covered_by: [], adds_nothing: false });
    await org.admin.post(`/v1/admin/alerts/${existing?.id}`, { is_enabled: false });
    const off = await preview(org.admin, { scope, channel_ids, condition: spendLimit(90) });
    expect(off).toMatchObject({ covered_by: [{ is_enabled: false }], adds_nothing: false });
  });

  test("replays recorded spend of its scope and of child scopes with a limit", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
  }) => {
    const day = 86_400_000;
    const startOfDay = h.clock.nowMs - (h.clock.nowMs % day);
    for (const days of [3, 2]) {
      const startedAtMs = startOfDay - days * day;
      const of = { organizationId: org.id, workspaceId, apiKeyId, startedAtMs };
      const cost = { ...noCost, output: 5_000_000_000n, total: 5_000_000_000n };
      await recordUsage(h.deps.database, [
        endRecord({ ...of, requestId: newId("req_", startedAtMs), cost }),
      ]);
    }
    await org.admin.post("/v1/admin/spend_limits", {
      ...{ scope: { type: "api_key", api_key_id: apiKeyId }, period: "daily" },
      ...{ limit_usd: 8, enforcement: "strict" },
    });
    const fields = { scope: { type: "organization" }, includes_below: true };
    const { replay } = await preview(org.admin, { ...fields, condition: spendLimit(50, 100) });
    expect(replay).toMatchObject({ firings: 2, messages: 2, scopes: 2, scopes_left_out: 0 });
    expect(replay?.newest.map(({ at, threshold }) => [at, threshold])).toEqual(
      [2, 3].map((days) => [new Date(startOfDay - days * day + 3_600_000).toISOString(), "50%"]),
    );
    expect(replay?.newest[0]).toMatchObject({
      scope: { type: "api_key", api_key_id: apiKeyId },
      title: expect.stringMatching(/has spent \$5\.00, 62% of its daily limit of \$8\.00\.$/),
    });
    expect(replay?.days.filter(({ firings }) => firings > 0)).toHaveLength(2);
    const amount = { kind: "spend_limit", thresholds: [{ amount_usd: 9, period: "monthly" }] };
    const scope = { type: "workspace", workspace_id: workspaceId };
    const ofWorkspace = await preview(org.admin, { scope, condition: amount });
    expect(ofWorkspace.replay).toMatchObject({ firings: 1, scopes: 1 });
    for (const kind of ["forecast", "unusual_spend"]) {
      const { replay: none } = await preview(org.admin, { ...fields, condition: { kind } });
      expect([kind, none?.firings]).toEqual([kind, 0]);
    }
  });

  test("replays refusals of whole hours, and gives the reason for other conditions", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
  }) => {
    const hourMs = h.clock.nowMs - (h.clock.nowMs % 3_600_000) - 5 * 3_600_000;
    await sql`INSERT INTO refusal_hour (organization_id, bucket_at, workspace_id, api_key_id, error_code, model, requests)
      VALUES (${org.id}, ${new Date(hourMs)}, ${workspaceId}, ${apiKeyId}, 'spend_limit_reached', '', 60)`.execute(
      h.deps.database,
    );
    const fields = { scope: { type: "organization" }, includes_below: true };
    const refused = (minutes: number) =>
      preview(org.admin, { ...fields, condition: { kind: "refused_requests", minutes } });
    const { replay } = await refused(60);
    expect(replay).toMatchObject({ firings: 3, messages: 1, scopes: 3 });
    expect(replay?.newest[0]?.at).toBe(new Date(hourMs + 3_600_000).toISOString());
    expect(await refused(15)).toMatchObject({
      replay: null,
      note: "Refusals are stored by the hour, so shorter windows cannot be replayed.",
    });
    for (const kind of ["key_unused", "upstream_errors", "limit_overrun", "database_failover"]) {
      const answer = await preview(org.admin, { ...fields, condition: { kind } });
      expect(answer).toMatchObject({ replay: null, note: expect.stringMatching(/replayed/) });
    }
  });

  test("needs the right to create the alert", async ({ org, workspaceId }) => {
    const { client } = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const condition = spendLimit(90);
    const ask = (scope: object) => client.post("/v1/admin/alerts/preview", { scope, condition });
    expect((await ask({ type: "organization" })).status).toBe(403);
    expect((await ask({ type: "workspace", workspace_id: workspaceId })).status).toBe(200);
    expect((await ask({ type: "workspace", workspace_id: "wksp_missing" })).status).toBe(404);
  });
});
