import { expect } from "vitest";
import { createDefaultAlerts } from "#src/alerts/rules/default-alerts.ts";
import { test } from "#test/harness/alerting-test.ts";
import { fireFailover } from "./fire-failovers.ts";

// A failover of the database fires one alert for each organization, on any number of nodes.

const FAILOVER = {
  incarnationId: "3f0c5e9e-0000-4000-8000-000000000001",
  lostEvents: 2,
  lostChanges: ["api_key.created apikey_1", "api_key.updated apikey_2"],
  restoredRestrictions: 1,
};

test("two nodes fire the default alert once, with the facts of the first", async ({ a }) => {
  const { deps } = a.h;
  await createDefaultAlerts(deps);
  const of = { ...FAILOVER, organizationId: a.org.id };
  await fireFailover(deps, of);
  await fireFailover(deps, { ...of, lostEvents: 0, lostChanges: [], restoredRestrictions: 0 });
  const { body } = await a.org.admin.get<{ data: object[] }>(
    "/v1/admin/alert_firings?kinds=database_failover",
  );
  expect(body.data).toEqual([
    expect.objectContaining({
      kind: "database_failover",
      scope: { type: "organization" },
      threshold: "failover",
      title: "The database failed over to a standby that lacks the last 2 changes.",
      next: "The audit log lists the lost changes that the nodes remember. Make those again that you still want, such as new keys, invites and limits. Restrictions of 1 key, member or other subject were lost and are applied again.",
      facts: { lost_events: 2, lost_changes: FAILOVER.lostChanges, restored_restrictions: 1 },
    }),
  ]);
});

test("another failover fires again, and says that nothing is known to be lost", async ({ a }) => {
  const { deps } = a.h;
  await createDefaultAlerts(deps);
  await fireFailover(deps, {
    ...{ organizationId: a.org.id, incarnationId: "3f0c5e9e-0000-4000-8000-000000000002" },
    ...{ lostEvents: 0, lostChanges: [], restoredRestrictions: 0 },
  });
  const { body } = await a.org.admin.get<{ data: { title: string }[] }>(
    "/v1/admin/alert_firings?kinds=database_failover&limit=1",
  );
  expect(body.data[0]?.title).toBe(
    "The database failed over to its standby. No change is known to be lost.",
  );
});
