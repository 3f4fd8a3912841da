import type { alert } from "@bursar/contract/admin/alerts.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { z } from "zod";
import {
  type AdminHarness,
  type Listed,
  startAdmin,
  type TestOrganization,
} from "#test/harness/admin.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { giveFirstAlerts } from "./first-alerts.ts";

type Alert = z.output<typeof alert>;

let h: AdminHarness;
let org: TestOrganization;

beforeAll(async () => {
  h = await startAdmin();
});
afterAll(() => h.close());
beforeEach(async () => {
  org = await h.organization();
});

async function alerts(): Promise<Alert[]> {
  return (await org.admin.get<Listed<Alert>>("/v1/admin/alerts")).body.data;
}

test("an organization begins with alerts that its Owners and Admins are told of by mail", async () => {
  await giveFirstAlerts(h.deps);
  const found = await alerts();
  expect(found).toHaveLength(5);
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
  const { body } = await org.operator.get<Listed<{ recipients: unknown }>>(
    "/v1/admin/alert_channels",
  );
  expect(body.data.map(({ recipients }) => recipients)).toEqual([
    { roles: ["owner", "admin"], addresses: [] },
  ]);
});

test("a new alert goes to that channel unless it names others", async () => {
  await giveFirstAlerts(h.deps);
  const { body } = await org.admin.post<Alert>("/v1/admin/alerts", {
    name: "Mine",
    scope: { type: "organization" },
    condition: { kind: "spend_limit" },
  });
  expect(body.channels.map(({ name }) => name)).toEqual(["Owners and Admins"]);
});

test("however many nodes start, it gets them once; what is deleted does not come back", async () => {
  await Promise.all([1, 2, 3, 4].map(() => giveFirstAlerts(h.deps)));
  const found = await alerts();
  expect(found).toHaveLength(5);
  for (const { id } of found) await org.admin.remove(`/v1/admin/alerts/${id}`);
  await giveFirstAlerts(h.deps);
  expect(await alerts()).toEqual([]);
});

test("the audit log says that the server made them", async () => {
  const events = await watchEvents(h.deps.database, org.id);
  await giveFirstAlerts(h.deps);
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
  ]);
});
