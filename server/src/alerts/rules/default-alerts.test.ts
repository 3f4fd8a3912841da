import type { alert } from "@bursar/contract/admin/alerts.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
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
