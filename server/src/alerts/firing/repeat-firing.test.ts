import { sql } from "kysely";
import { expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { FACTS } from "#test/harness/alert-channels.ts";
import { test } from "#test/harness/alerting-test.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";

// A failover can lose a firing with its messages. The next evaluation then records the firing again.

test("a lost firing is recorded under its id, and its message is not sent twice", async ({ a }) => {
  const { database } = a.h.deps;
  const { id: channelId } = await a.createChannel();
  const { firingId, deliveryIds } = await a.fire([channelId]);
  const [deliveryId = ""] = deliveryIds;
  await a.attempt(deliveryId);
  expect(a.receiver.received).toHaveLength(1);

  const lost = await readFiring(database, firingId);
  await sql`DELETE FROM alert_delivery WHERE id = ${deliveryId}`.execute(database);
  await sql`DELETE FROM alert_firing WHERE id = ${firingId}`.execute(database);
  const [again] = await inTransaction(database, (tx) => recordFirings(tx, a.h.deps, [lost]));
  expect(again?.id).toBe(firingId);
  expect((await a.getDelivery(channelId, deliveryId)).status).toBe("queued");
  await a.attempt(deliveryId);
  expect(await a.getDelivery(channelId, deliveryId)).toMatchObject({
    status: "sent",
    alert_firing_id: firingId,
  });
  expect(a.receiver.received).toHaveLength(1);
});

test("a firing that a node of another version recorded under a random id is not repeated", async ({
  a,
}) => {
  const { database } = a.h.deps;
  const { firingId } = await a.fire([(await a.createChannel()).id]);
  await sql`DELETE FROM alert_delivery WHERE alert_firing_id = ${firingId}`.execute(database);
  await sql`UPDATE alert_firing SET id = 'firing_0' WHERE id = ${firingId}`.execute(database);
  const firing = await readFiring(database, "firing_0");
  expect(await inTransaction(database, (tx) => recordFirings(tx, a.h.deps, [firing]))).toEqual([]);
});

test("a redelivery is sent, although the node has sent the message before", async ({ a }) => {
  const { id: channelId } = await a.createChannel();
  const [deliveryId = ""] = (await a.fire([channelId])).deliveryIds;
  a.receiver.received.length = 0;
  await a.attempt(deliveryId);
  await a.org.admin.post(`/v1/admin/alert_deliveries/${deliveryId}/redeliver`);
  await a.attempt(deliveryId);
  expect(a.receiver.received).toHaveLength(2);
});

async function readFiring(database: Database, id: string): Promise<NewFiring> {
  const row = await database
    .selectFrom("alert_firing")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return {
    ...{ organizationId: row.organization_id, alertId: row.alert_id, kind: "spend_limit" },
    ...{ scopeType: row.scope_type, scopeId: row.scope_id, workspaceId: row.workspace_id },
    ...{ episode: row.episode, threshold: row.threshold, facts: FACTS },
  };
}
