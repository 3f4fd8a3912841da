import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { Alerting } from "#test/harness/alert-channels.ts";
import { test } from "#test/harness/alerting-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { answerWith } from "#test/harness/receiver.ts";
import { sweepDeliveries } from "./sweep-deliveries.ts";

// Waiting messages: of a channel that is off or deleted, redelivered by a caller, or found by the sweep.

test.beforeEach(({ a }) => {
  a.receiver.received.length = 0;
  a.receiver.answer = answerWith(200);
});

describe("a channel that is off or deleted", () => {
  test.for([
    [
      "off",
      ({ org }: Alerting, id: string) =>
        org.admin.post(`/v1/admin/alert_channels/${id}`, { is_enabled: false }),
    ],
    [
      "deleted",
      ({ org }: Alerting, id: string) => org.admin.remove(`/v1/admin/alert_channels/${id}`),
    ],
  ] as const)("gets no messages: they are dropped (%s)", async ([_, end], { a }) => {
    const channel = await a.createChannel();
    const [id = ""] = (await a.fire([channel.id])).deliveryIds;
    expect(await end(a, channel.id)).toMatchObject({ status: 200 });
    await a.attempt(id);
    expect(a.receiver.received).toEqual([]);
    const row = await a.h.deps.database
      .selectFrom("alert_delivery")
      .select(["status", "attempts"])
      .where("id", "=", id)
      .executeTakeFirst();
    expect(row).toEqual({ status: "dropped", attempts: 0 });
  });

  test("loses its address and its secrets if it is deleted", async ({ a }) => {
    const channel = await a.createChannel();
    await a.org.admin.remove(`/v1/admin/alert_channels/${channel.id}`);
    const { database } = a.h.deps;
    const row = await database
      .selectFrom("alert_channel")
      .select("target_sealed")
      .where("id", "=", channel.id)
      .executeTakeFirst();
    const secrets = await database
      .selectFrom("alert_channel_secret")
      .select("id")
      .where("alert_channel_id", "=", channel.id)
      .execute();
    expect([row?.target_sealed?.length, secrets]).toEqual([0, []]);
  });
});

describe("a message", () => {
  test("is redelivered under the same id", async ({ a }) => {
    const channel = await a.createChannel();
    const [id = ""] = (await a.fire([channel.id])).deliveryIds;
    await a.attempt(id);
    const again = await a.org.admin.post(`/v1/admin/alert_deliveries/${id}/redeliver`);
    expect(again).toMatchObject({ status: 200, body: { id, status: "queued", attempts: 0 } });
    expect(await a.secondsToNextAttempt(id)).not.toBeNull();
    await a.attempt(id);
    expect(a.receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([id, id]);
    expect((await auditEventsOf(a.h.deps.database, id)).at(-1)).toMatchObject({
      event: "alert_delivery.redelivered",
      before: { status: "sent", attempts: 1 },
    });
    await a.org.admin.post(`/v1/admin/alert_channels/${channel.id}`, { is_enabled: false });
    const refused = await a.org.admin.post(`/v1/admin/alert_deliveries/${id}/redeliver`);
    expect(refused.status).toBe(409);
  });

  test("that is old and redelivered has all its attempts", async ({ a }) => {
    const channel = await a.createChannel();
    const [id = ""] = (await a.fire([channel.id])).deliveryIds;
    const { database } = a.h.deps;
    // A node that sent the message remembers when it was created.
    await sql`UPDATE alert_delivery SET created_at = now() - interval '5 days' WHERE id = ${id}`.execute(
      database,
    );
    await a.attempt(id);
    await sql`UPDATE alert_delivery SET last_attempt_at = now() - interval '5 days' WHERE id = ${id}`.execute(
      database,
    );
    await a.org.admin.post(`/v1/admin/alert_deliveries/${id}/redeliver`);
    await sweepDeliveries(database);
    a.receiver.answer = answerWith(500);
    await a.attempt(id);
    await sql`UPDATE alert_delivery SET last_attempt_at = now() - interval '2 minutes'
      WHERE id = ${id}`.execute(database);
    await sweepDeliveries(database);
    expect(await a.getDelivery(channel.id, id)).toMatchObject({ status: "queued", attempts: 1 });
  });

  test("without a job is queued by the sweep, and fails after three days", async ({ a }) => {
    const channel = await a.createChannel();
    const [id = ""] = (await a.fire([channel.id])).deliveryIds;
    const { database } = a.h.deps;
    const age = (interval: string) =>
      sql`UPDATE alert_delivery SET created_at = now() - ${interval}::interval WHERE id = ${id}`.execute(
        database,
      );
    const loseJob = () =>
      sql`DELETE FROM graphile_worker._private_jobs WHERE key = ${`alert_delivery:${id}`}`.execute(
        database,
      );
    await loseJob();
    await sweepDeliveries(database);
    expect(await a.secondsToNextAttempt(id)).toBeNull();
    await age("2 minutes");
    await sweepDeliveries(database);
    expect(await a.secondsToNextAttempt(id)).not.toBeNull();
    await loseJob();
    await age("73 hours");
    await sweepDeliveries(database);
    expect(await a.getDelivery(channel.id, id)).toMatchObject({
      status: "failed",
      last_error: "The message could not be sent within 72 hours.",
    });
    await age("91 days");
    await sweepDeliveries(database);
    await expect(a.getDelivery(channel.id, id)).rejects.toThrow("no delivery");
  });
});

test("the sweep leaves a message with a running job alone, and queues that of a dead node", async ({
  a,
}) => {
  const channel = await a.createChannel();
  const [id = ""] = (await a.fire([channel.id])).deliveryIds;
  const { database } = a.h.deps;
  await sql`UPDATE alert_delivery SET created_at = now() - interval '1 hour' WHERE id = ${id}`.execute(
    database,
  );
  const jobs = async (age: string) => {
    // The queue marks a job like this when a node takes it.
    await sql`UPDATE graphile_worker._private_jobs SET attempts = 1, locked_by = 'node',
      locked_at = now() - ${age}::interval WHERE payload->>'delivery_id' = ${id}`.execute(database);
    await sweepDeliveries(database);
    const { rows } = await sql`SELECT id FROM graphile_worker._private_jobs
      WHERE payload->>'delivery_id' = ${id}`.execute(database);
    return rows.length;
  };
  expect(await jobs("10 seconds")).toBe(1);
  expect(await jobs("2 minutes")).toBe(2);
});
