import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { describe, expect } from "vitest";
import type { Listed } from "#test/harness/admin.ts";
import type { Channel, CreatedChannel } from "#test/harness/alert-channels.ts";
import { test as base } from "#test/harness/alerting-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { answerWith } from "#test/harness/receiver.ts";
import { sweepDeliveries } from "./sweep-deliveries.ts";

const CHANNELS = "/v1/admin/alert_channels";
const SLACK = "https://hooks.slack.com/services/T000/B000/abcdefgh12345678";
const KEY = "0123456789abcdef0123456789abWXYZ";

const test = base.extend("channels", ({ a }) => {
  const create = (target: object, name = "Channel") =>
    a.org.admin.post<CreatedChannel>(CHANNELS, { name, target });

  const update = (id: string, change: object) =>
    a.org.admin.post<Channel>(`${CHANNELS}/${id}`, change);

  const rotate = (id: string, body: object = {}) =>
    a.org.admin.post<CreatedChannel>(`${CHANNELS}/${id}/rotate_secret`, body);

  const events = async (id: string) =>
    (await auditEventsOf(a.h.deps.database, id)).map(({ event }) => event);

  const isVerifiedBy = (secret: string | null): boolean => {
    const { body = "", headers = {} } = a.receiver.received.at(-1) ?? {};
    try {
      new Webhook(secret ?? "").verify(body, headers as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  };

  const send = async (id: string) => {
    const [deliveryId = ""] = (await a.fire([id])).deliveryIds;
    await a.attempt(deliveryId);
  };

  return { create, update, rotate, events, isVerifiedBy, send };
});

test.beforeEach(({ a }) => {
  a.receiver.received.length = 0;
  a.receiver.answer = answerWith(200);
});

describe("create a channel", () => {
  test("never returns the target, and returns a secret for a webhook only", async ({
    a,
    channels,
  }) => {
    const email = await channels.create({
      kind: "email",
      recipients: { roles: ["owner", "owner"], addresses: ["ops@example.com"] },
    });
    expect(email).toMatchObject({
      status: 200,
      body: {
        kind: "email",
        recipients: { roles: ["owner"], addresses: ["ops@example.com"] },
        target_hint: null,
        signing_secret: null,
        state: "working",
        version: 1,
        alerts: 0,
        last_delivery: null,
      },
    });
    const slack = await channels.create({ kind: "slack", url: SLACK });
    expect(slack.body).toMatchObject({
      target_hint: "https://hooks.slack.com/…5678",
      recipients: null,
      signing_secret: null,
    });
    const pagerDuty = await channels.create({ kind: "pagerduty", routing_key: KEY });
    expect(pagerDuty.body).toMatchObject({ target_hint: "…WXYZ", signing_secret: null });
    const webhook = await channels.create({ kind: "webhook", url: "https://example.com/in" });
    expect(webhook.body.target_hint).toBe("https://example.com/…");
    expect(webhook.body.signing_secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    for (const { body, text } of [slack, pagerDuty, webhook]) {
      expect(await channels.events(body.id)).toEqual(["alert_channel.created"]);
      const read = await a.org.admin.get(`${CHANNELS}/${body.id}`);
      for (const response of [text, read.text]) {
        expect(response).not.toContain("T000/B000");
        expect(response).not.toContain(KEY);
      }
      expect(read.text).not.toContain("whsec_");
    }
  });

  test.for([
    ["http", { kind: "webhook", url: "http://8.8.8.8/in" }, "expected an https URL"],
    ["a private address", { kind: "webhook", url: "https://10.0.0.1/" }, "private network"],
    ["a private address of Slack", { kind: "slack", url: "https://[::1]/" }, "private network"],
    ["another host of Slack", { kind: "slack", url: "https://example.com/" }, "hooks.slack.com"],
    ["metadata", { kind: "webhook", url: "http://169.254.169.254/" }, "credentials"],
    ["a password", { kind: "webhook", url: "https://a:b@example.com/" }, "password"],
    ["no URL", { kind: "webhook", url: "example.com" }, "expected a URL"],
    ["no recipient", { kind: "email", recipients: {} }, "expected a role or an address"],
    ["an invalid PagerDuty key", { kind: "pagerduty", routing_key: "short" }, "32 letters"],
    [
      "a secret from the caller",
      { kind: "webhook", url: "https://example.com/", secret: "" },
      "secret",
    ],
  ] as const)("rejects an invalid target: %s", async ([_, target, reason], { channels }) => {
    const answer = await channels.create(target);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(reason);
  });
});

describe("update a channel", () => {
  test("changes only the given fields, and ignores equal values", async ({ a, channels }) => {
    const { body: made } = await channels.create(
      { kind: "webhook", url: "https://example.com/in" },
      "Old",
    );
    const named = await channels.update(made.id, { name: "New", if_version: 1 });
    expect(named.body).toMatchObject({ name: "New", version: 2, target_hint: made.target_hint });
    const same = await channels.update(made.id, {
      name: "New",
      is_enabled: true,
      target: { kind: "webhook", url: "https://example.com/in" },
    });
    expect(same.body).toMatchObject({ version: 2 });
    const moved = await channels.update(made.id, {
      target: { kind: "webhook", url: "https://example.org/other" },
    });
    expect(moved.body).toMatchObject({ version: 3, target_hint: "https://example.org/…" });
    expect((await channels.update(made.id, { is_enabled: false })).body).toMatchObject({
      state: "off",
    });
    expect(await channels.events(made.id)).toEqual([
      "alert_channel.created",
      "alert_channel.updated",
      "alert_channel.updated",
      "alert_channel.updated",
    ]);
    const [, , third] = await auditEventsOf(a.h.deps.database, made.id);
    expect(third?.after).toMatchObject({ target_replaced: true });
  });

  test("accepts one of two changes with the same version, and refuses the other", async ({
    channels,
  }) => {
    const { body: made } = await channels.create({
      kind: "webhook",
      url: "https://example.com/in",
    });
    const both = await Promise.all([
      channels.update(made.id, { name: "One", if_version: 1 }),
      channels.update(made.id, { name: "Two", if_version: 1 }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 409)?.error.message).toContain("version 2");
  });

  test("rejects another kind and an invalid target", async ({ a, channels }) => {
    const { body: made } = await channels.create({
      kind: "webhook",
      url: "https://example.com/in",
    });
    expect((await channels.update(made.id, { target: { kind: "slack", url: SLACK } })).status).toBe(
      400,
    );
    const hidden = { kind: "webhook", url: "https://192.168.0.1/" };
    expect((await channels.update(made.id, { target: hidden })).status).toBe(400);
    expect(await a.getChannel(made.id)).toMatchObject({ version: 1 });
  });

  test("ignores the field order of mail recipients", async ({ channels }) => {
    const recipients = { addresses: ["ops@example.com"], roles: ["admin"] };
    const { body: made } = await channels.create({ kind: "email", recipients });
    expect(
      (await channels.update(made.id, { target: { kind: "email", recipients } })).body.version,
    ).toBe(1);
  });
});

describe("rotate a signing secret", () => {
  test("both secrets sign during the overlap, and only the new one later", async ({
    a,
    channels,
  }) => {
    const made = await a.createChannel();
    await channels.send(made.id);
    expect(channels.isVerifiedBy(made.signing_secret)).toBe(true);
    const rotated = await channels.rotate(made.id, { overlap_hours: 24 });
    expect(rotated.body.signing_secret).toMatch(/^whsec_/);
    expect(rotated.body.old_secret_expires_at).not.toBeNull();
    await channels.send(made.id);
    expect(channels.isVerifiedBy(made.signing_secret)).toBe(true);
    expect(channels.isVerifiedBy(rotated.body.signing_secret)).toBe(true);
    const { database } = a.h.deps;
    await sql`UPDATE alert_channel_secret SET expires_at = now() - interval '1 second'
      WHERE alert_channel_id = ${made.id} AND expires_at IS NOT NULL`.execute(database);
    await channels.send(made.id);
    expect(channels.isVerifiedBy(made.signing_secret)).toBe(false);
    expect(channels.isVerifiedBy(rotated.body.signing_secret)).toBe(true);
    expect((await a.getChannel(made.id)).old_secret_expires_at).toBeNull();
    await sweepDeliveries(database);
    const left = await database
      .selectFrom("alert_channel_secret")
      .select("id")
      .where("alert_channel_id", "=", made.id)
      .execute();
    expect(left).toHaveLength(1);
    expect(await channels.events(made.id)).toContain("alert_channel.secret_rotated");
  });

  test("revokes the old secret at once if the overlap is 0", async ({ a, channels }) => {
    const made = await a.createChannel();
    const rotated = await channels.rotate(made.id, { overlap_hours: 0 });
    await channels.send(made.id);
    expect(channels.isVerifiedBy(made.signing_secret)).toBe(false);
    expect(channels.isVerifiedBy(rotated.body.signing_secret)).toBe(true);
  });

  test("refuses too many valid old secrets, and channels that sign nothing", async ({
    a,
    channels,
  }) => {
    const made = await a.createChannel();
    const last = [];
    for (let i = 0; i < 4; i++) last.push(await channels.rotate(made.id));
    expect(last.map(({ status }) => status)).toEqual([200, 200, 200, 409]);
    await channels.send(made.id);
    for (const { body } of last.slice(0, 3))
      expect(channels.isVerifiedBy(body.signing_secret)).toBe(true);
    const ended = await channels.rotate(made.id, { overlap_hours: 0 });
    await channels.send(made.id);
    expect(channels.isVerifiedBy(ended.body.signing_secret)).toBe(true);
    expect(channels.isVerifiedBy(last[2]?.body.signing_secret ?? "")).toBe(false);
    const { body: slack } = await channels.create({ kind: "slack", url: SLACK });
    expect((await channels.rotate(slack.id)).status).toBe(400);
  });
});

test("a deleted channel is not found, and its alerts keep their other channels", async ({
  a,
  channels,
}) => {
  const made = await a.createChannel();
  const other = await a.createChannel();
  await a.fire([made.id, other.id]);
  expect(await a.getChannel(made.id)).toMatchObject({ alerts: 1 });
  expect(await a.org.admin.remove(`${CHANNELS}/${made.id}`)).toMatchObject({
    status: 200,
    body: { id: made.id, type: "alert_channel_deleted" },
  });
  expect(await channels.events(made.id)).toEqual([
    "alert_channel.created",
    "alert_channel.deleted",
  ]);
  for (const answer of [
    await a.org.admin.get(`${CHANNELS}/${made.id}`),
    await channels.update(made.id, { name: "Again" }),
    await channels.rotate(made.id),
    await a.org.admin.post(`${CHANNELS}/${made.id}/test`),
    await a.org.admin.get(`${CHANNELS}/${made.id}/deliveries`),
    await a.org.admin.remove(`${CHANNELS}/${made.id}`),
  ]) {
    expect(answer.status).toBe(404);
  }
  const { body } = await a.org.admin.get<Listed<Channel>>(`${CHANNELS}?limit=1000`);
  const ids = body.data.map(({ id }) => id);
  expect([ids.includes(made.id), ids.includes(other.id)]).toEqual([false, true]);
});

test("lists channels in pages, newest first, filtered by kind", async ({ a }) => {
  const org = await a.h.organization();
  const made: string[] = [];
  for (const target of [
    { kind: "slack", url: SLACK },
    { kind: "pagerduty", routing_key: KEY },
    { kind: "slack", url: `${SLACK}9` },
  ]) {
    a.h.clock.nowMs += 1_000;
    const { body } = await org.admin.post<CreatedChannel>(CHANNELS, { name: "C", target });
    made.unshift(body.id);
  }
  const page = await org.admin.get<Listed<Channel>>(`${CHANNELS}?kinds=slack,pagerduty&limit=2`);
  const next = await org.admin.get<Listed<Channel>>(
    `${CHANNELS}?kinds=slack,pagerduty&limit=2&page=${page.body.next_page}`,
  );
  expect([...page.body.data, ...next.body.data].map(({ id }) => id)).toEqual(made);
  const slack = await org.admin.get<Listed<Channel>>(`${CHANNELS}?kinds=slack`);
  expect(slack.body.data.map(({ kind }) => kind)).toEqual(["slack", "slack"]);
  const other = await a.org.admin.get(`${CHANNELS}/${made[0]}`);
  expect(other.status).toBe(404);
});

describe("members", () => {
  test("with read access to alerts see channels without their receivers", async ({
    a,
    channels,
  }) => {
    const { body: made } = await channels.create({ kind: "slack", url: SLACK });
    const { body: email } = await channels.create({
      kind: "email",
      recipients: { addresses: ["ops@example.com"] },
    });
    const hidden = { target_hint: null, recipients: null };
    const { id: workspaceId } = await a.org.admin.createWorkspace();
    for (const person of [
      { role: "billing" },
      { workspaces: { [workspaceId]: "workspace_developer" } },
    ] as const) {
      const { client } = await a.org.member(person);
      for (const { id } of [made, email]) {
        expect(await client.get(`${CHANNELS}/${id}`)).toMatchObject({
          status: 200,
          body: { id, state: "working", ...hidden },
        });
      }
      const list = await client.get<Listed<Channel>>(`${CHANNELS}?limit=1000`);
      expect(list.body.data.length).toBeGreaterThan(1);
      for (const channel of list.body.data) expect(channel).toMatchObject(hidden);
      expect((await client.get(`${CHANNELS}/${made.id}/deliveries`)).status).toBe(403);
      expect((await client.post(`${CHANNELS}/${made.id}`, { name: "Mine" })).status).toBe(403);
      expect((await client.post(`${CHANNELS}/${made.id}/test`)).status).toBe(403);
      expect((await client.remove(`${CHANNELS}/${made.id}`)).status).toBe(403);
    }
    const { client: admin } = await a.org.member({ role: "admin" });
    expect((await admin.get<Channel>(`${CHANNELS}/${made.id}`)).body.target_hint).not.toBeNull();
    expect((await admin.get<Channel>(`${CHANNELS}/${email.id}`)).body.recipients).not.toBeNull();
  });

  test("need a step-up to create or change a channel, but not to test it", async ({
    a,
    channels,
  }) => {
    const { client } = await a.org.member({ role: "owner", steppedUpAtMs: null });
    const target = { kind: "slack", url: SLACK };
    expect((await client.post(CHANNELS, { name: "C", target })).status).toBe(403);
    const { body: made } = await channels.create(target);
    expect((await client.post(`${CHANNELS}/${made.id}`, { name: "Mine" })).status).toBe(403);
    expect((await client.post(`${CHANNELS}/${made.id}/test`)).status).toBe(200);
  });
});

test("lists deliveries newest first by status, and never redelivers those of others", async ({
  a,
}) => {
  const made = await a.createChannel();
  const [sent = ""] = (await a.fire([made.id])).deliveryIds;
  await a.attempt(sent);
  a.receiver.answer = answerWith(500);
  const tested = await a.org.admin.post<{ id: string }>(`${CHANNELS}/${made.id}/test`);
  const list = async (query = "") => {
    const path = `${CHANNELS}/${made.id}/deliveries${query}`;
    const { body } = await a.org.admin.get<Listed<{ id: string; title: string }>>(path);
    return body.data.map(({ id }) => id);
  };
  expect(await list()).toEqual([tested.body.id, sent]);
  expect(await list("?statuses=sent")).toEqual([sent]);
  expect(await a.getChannel(made.id)).toMatchObject({ last_delivery: { status: "failed" } });
  expect(await a.getDelivery(made.id, tested.body.id)).toMatchObject({ title: "Test message" });
  const other = await a.h.organization();
  const again = await other.admin.post(`/v1/admin/alert_deliveries/${sent}/redeliver`);
  expect(again.status).toBe(404);
});
