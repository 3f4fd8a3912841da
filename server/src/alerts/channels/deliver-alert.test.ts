import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { makeAlertDeliveryJobs } from "#src/alerts/firing/alert-jobs.ts";
import { runJobs } from "#src/jobs/run-jobs.ts";
import { makeMailJobs } from "#src/mail/mail-jobs.ts";
import { makeSmtpTransport } from "#src/mail/smtp.ts";
import { PUBLIC_URL } from "#test/harness/admin.ts";
import { type CreatedChannel, FACTS, type Target } from "#test/harness/alert-channels.ts";
import { test as base } from "#test/harness/alerting-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type MailServer, startMailServer } from "#test/harness/mail-server.ts";
import { answerWith, type ReceivedMessage } from "#test/harness/receiver.ts";
import { sealTarget } from "./channel-secrets.ts";

const ROUTING_KEY = "0123456789abcdef0123456789abcdef";

const test = base.extend("deliveries", ({ a }) => {
  function makeChannels(): Promise<CreatedChannel[]> {
    const { origin } = a.receiver;
    const targets: Target[] = [
      { kind: "email", recipients: { roles: ["owner"], addresses: ["ops@example.com", owner] } },
      { kind: "slack", url: `${origin}/slack/T0/B0/secret` },
      { kind: "pagerduty", routing_key: ROUTING_KEY, region: "eu" },
      { kind: "webhook", url: `${origin}/webhook?token=secret` },
    ];
    return Promise.all(targets.map((target) => a.createChannel(target)));
  }

  const receivedAt = (path: string): ReceivedMessage[] =>
    a.receiver.received.filter((each) => each.path.startsWith(path));

  /** Sets the time for which the channel has been failing. */
  const setFailingHours = (channelId: string, hours: number) =>
    a.h.deps.database
      .updateTable("alert_channel")
      .set({ failing_since: sql<Date>`now() - make_interval(hours => ${hours}::integer)` })
      .where("id", "=", channelId)
      .execute();

  /** Fires an alert of the channel. Returns the id of the delivery. */
  const fire = async (channelId: string): Promise<string> =>
    (await a.fire([channelId])).deliveryIds[0] ?? "";

  const send = (id: string) => a.org.admin.post(`/v1/admin/alert_channels/${id}/test`);

  return { makeChannels, receivedAt, setFailingHours, fire, send };
});

let owner: string;

test.beforeAll(async ({ a }) => {
  owner = (await a.org.member({ role: "owner" })).email;
});
test.beforeEach(({ a }) => {
  a.receiver.received.length = 0;
  a.receiver.answer = answerWith(200);
});

const title = "The workspace Growth <team> has spent $75.50, 75% of its monthly limit of $100.00.";

describe("a firing", () => {
  let mail: MailServer;
  beforeAll(async () => {
    mail = await startMailServer();
  });
  afterAll(() => mail.close());

  test("sends one complete message through each kind of channel", async ({ a, deliveries }) => {
    const channels = await deliveries.makeChannels();
    const webhook = channels[3];
    const { connectionString, deps } = a.h;
    const transport = makeSmtpTransport({ url: mail.url, from: "Bursar <bursar@example.com>" });
    const jobs = { ...makeAlertDeliveryJobs(deps), ...makeMailJobs({ ...deps, transport }) };
    const node = () => runJobs({ connectionString, jobs, schedule: {}, logger: deps.logger });
    const nodes = [node(), node()];
    const { firingId, deliveryIds } = await a.fire(channels.map(({ id }) => id));
    const url = `${PUBLIC_URL}/alerts/firings/${firingId}`;
    try {
      await eventually(30_000, "all messages are sent", async () => {
        const states = await Promise.all(
          channels.map(({ id }, i) => a.getDelivery(id, deliveryIds[i] ?? "")),
        );
        return states.every(({ status }) => status === "sent") ? true : null;
      });
      await Promise.all([mail.messageTo(owner), mail.messageTo("ops@example.com")]);
    } finally {
      await Promise.all(nodes.map((each) => each.stop()));
    }

    expect(mail.received.map(({ recipients }) => recipients).sort()).toEqual(
      [["ops@example.com"], [owner]].sort(),
    );
    expect(mail.received[0]?.subject).toBe(title);
    for (const text of ["Growth <team>", "$75.50", "$100.00 monthly, strict", url]) {
      expect(mail.received[0]?.text).toContain(text);
    }
    expect(mail.received[0]?.text).toContain("Period ends: 2026-12-01 00:00 UTC");
    expect(mail.received[0]?.text).toContain("A request that may cost more than the rest");

    expect(a.receiver.received).toHaveLength(3);
    const [toSlack] = deliveries.receivedAt("/slack/T0/B0/secret");
    expect(toSlack?.headers["content-type"]).toBe("application/json");
    // Slack shows names as text without markup.
    expect(toSlack?.body.match(/"mrkdwn","text":"[^"]*<team>/g)).toBeNull();
    for (const text of ["&lt;team&gt;", "$75.50", "$100.00", "2026-12-01 00:00 UTC", url]) {
      expect(toSlack?.body).toContain(text);
    }

    const event = JSON.parse(deliveries.receivedAt("/pagerduty/eu")[0]?.body ?? "null");
    expect(event).toMatchObject({
      routing_key: ROUTING_KEY,
      event_action: "trigger",
      dedup_key: firingId,
      client_url: url,
      payload: {
        summary: title,
        source: "Acme",
        severity: "warning",
        custom_details: {
          Scope: "the workspace Growth <team>",
          Spent: "$75.50",
          Limit: "$100.00 monthly, strict",
          "Period ends": "2026-12-01 00:00 UTC",
        },
      },
    });
    expect(event.payload.custom_details.Next).toContain("is refused until");

    const [toWebhook] = deliveries.receivedAt("/webhook?token=secret");
    const headers = toWebhook?.headers as Record<string, string>;
    expect(headers["webhook-id"]).toBe(deliveryIds[3]);
    const verified = new Webhook(webhook?.signing_secret ?? "").verify(
      toWebhook?.body ?? "",
      headers,
    );
    expect(verified).toMatchObject({
      type: "alert.fired",
      version: 1,
      data: {
        id: firingId,
        alert: { name: "Budget" },
        organization: { id: a.org.id, name: "Acme" },
        scope: { type: "workspace" },
        scope_name: "Growth <team>",
        threshold: "75%",
        facts: FACTS,
        title,
        next: expect.stringContaining("is refused until"),
        url,
      },
    });
    expect(channels.slice(0, 3).map((each) => each.signing_secret)).toEqual([null, null, null]);
  });
});

describe("a receiver that fails", () => {
  test("gets the message up to ten times under one id, with growing delays", async ({
    a,
    deliveries,
  }) => {
    const channel = await a.createChannel();
    const id = await deliveries.fire(channel.id);
    a.receiver.answer = answerWith(500, { text: "out\nof order" });
    const waits: (number | null)[] = [];
    for (let attempt = 1; attempt <= 10; attempt++) {
      await a.attempt(id);
      waits.push(await a.secondsToNextAttempt(id));
    }
    expect(waits).toEqual([5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, null]);
    expect(await a.getDelivery(channel.id, id)).toMatchObject({
      status: "failed",
      attempts: 10,
      last_status: 500,
      last_error: "HTTP 500: out of order",
    });
    // The channel failed for a short time only, so it is not paused.
    expect(await a.getChannel(channel.id)).toMatchObject({
      state: "working",
      failures_in_a_row: 10,
    });
    await a.attempt(id);
    const sent = a.receiver.received;
    expect(sent).toHaveLength(10);
    expect(new Set(sent.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([id]));
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
  });

  test.for([
    ["900", 900],
    ["1", 5],
    ["999999999", 43_200],
    ["soon", 5],
  ] as const)(
    "sets the delay of the next attempt with Retry-After: %s",
    async ([value, seconds], { a, deliveries }) => {
      const channel = await a.createChannel();
      const id = await deliveries.fire(channel.id);
      a.receiver.answer = answerWith(429, { headers: { "retry-after": value } });
      await a.attempt(id);
      expect(await a.secondsToNextAttempt(id)).toBe(seconds);
    },
  );

  test("sets the delay of the next attempt with a date in Retry-After", async ({
    a,
    deliveries,
  }) => {
    const channel = await a.createChannel();
    const id = await deliveries.fire(channel.id);
    const at = Math.ceil(a.h.clock.nowMs / 1_000) * 1_000 + 1_200_000;
    a.receiver.answer = answerWith(503, { headers: { "retry-after": new Date(at).toUTCString() } });
    await a.attempt(id);
    expect(await a.secondsToNextAttempt(id)).toBe(Math.ceil((at - a.h.clock.nowMs) / 1_000));
  });

  test("resets its failures when it works again", async ({ a, deliveries }) => {
    const channel = await a.createChannel();
    const id = await deliveries.fire(channel.id);
    a.receiver.answer = answerWith(500);
    await a.attempt(id);
    a.receiver.answer = answerWith(204);
    await a.attempt(id);
    expect(await a.getDelivery(channel.id, id)).toMatchObject({
      status: "sent",
      attempts: 2,
      last_status: 204,
      last_error: null,
    });
    expect(await a.getChannel(channel.id)).toMatchObject({ failures_in_a_row: 0 });
  });

  test("redirects: the redirect is not followed", async ({ a, deliveries }) => {
    const channel = await a.createChannel();
    const id = await deliveries.fire(channel.id);
    a.receiver.answer = answerWith(302, { headers: { location: `${a.receiver.origin}/other` } });
    await a.attempt(id);
    expect(deliveries.receivedAt("/other")).toEqual([]);
    expect(await a.getDelivery(channel.id, id)).toMatchObject({
      status: "queued",
      last_error: "HTTP 302: redirects are not followed",
    });
  });

  test("repeats its address or key: the history does not show them", async ({ a, deliveries }) => {
    a.receiver.answer = (response, { path, body }) => {
      response.writeHead(400);
      response.end(`no ${path} at ${a.receiver.origin}${path} ${body.slice(0, 60)}`);
    };
    const [, slack, pagerDuty] = await deliveries.makeChannels();
    for (const channel of [slack, pagerDuty]) {
      const id = await deliveries.fire(channel?.id ?? "");
      await a.attempt(id);
      const { last_error: error } = await a.getDelivery(channel?.id ?? "", id);
      expect(error).toContain("HTTP 400: no ");
      expect(error).not.toContain("B0/secret");
      expect(error).not.toContain(ROUTING_KEY);
    }
  });
});

test("the history hides each part of an address in the text of a receiver", async ({
  a,
  deliveries,
}) => {
  const url = `${a.receiver.origin}/in/path-token-1?key=query%20token%202&mode=a`;
  const channel = await a.createChannel({ kind: "webhook", url });
  const text = "bad path-token-1, query%20token%202, query token 2 in mode a";
  a.receiver.answer = answerWith(401, { text });
  const id = await deliveries.fire(channel.id);
  await a.attempt(id);
  expect(await a.getDelivery(channel.id, id)).toMatchObject({
    last_error: "HTTP 401: bad …, …, … in mode a",
  });
});

describe("a channel is paused", () => {
  test("at once after a 410, with a mail to Owners and an audit event, while other channels work", async ({
    a,
    deliveries,
  }) => {
    const url = `${a.receiver.origin}/gone`;
    const gone = await a.createChannel({ kind: "webhook", url }, "Old hook");
    const other = await a.createChannel();
    a.receiver.answer = (response, message) =>
      answerWith(message.path === "/gone" ? 410 : 200)(response, message);
    const { deliveryIds } = await a.fire([gone.id, other.id]);
    const [toGone = "", toOther = ""] = deliveryIds;
    await a.attempt(toGone);
    await a.attempt(toOther);
    expect(await a.getChannel(gone.id)).toMatchObject({
      state: "paused",
      pause_reason: "HTTP 410",
    });
    expect(await a.getDelivery(other.id, toOther)).toMatchObject({ status: "sent" });
    expect(await a.getChannel(other.id)).toMatchObject({ state: "working" });
    const mails = await a.h.deps.database
      .selectFrom("mail")
      .select(["to_address", "subject"])
      .where("about_id", "=", gone.id)
      .execute();
    expect(mails).toEqual([
      { to_address: owner, subject: 'The alert channel "Old hook" is paused' },
    ]);
    expect((await auditEventsOf(a.h.deps.database, gone.id)).at(-1)).toMatchObject({
      event: "alert_channel.paused",
      actor_type: "system",
      before: { state: "working" },
      after: { state: "paused", pause_reason: "HTTP 410" },
    });

    // New messages wait, and are sent when the channel is resumed.
    const later = await deliveries.fire(gone.id);
    const before = a.receiver.received.length;
    await a.attempt(later);
    await a.attempt(toGone);
    expect(a.receiver.received).toHaveLength(before);
    expect(await a.getDelivery(gone.id, later)).toMatchObject({ status: "queued", attempts: 0 });
    a.receiver.answer = answerWith(200);
    const resumed = await a.org.admin.post(`/v1/admin/alert_channels/${gone.id}`, {
      is_enabled: true,
    });
    expect(resumed.body).toMatchObject({ state: "working", failures_in_a_row: 0 });
    expect(await a.secondsToNextAttempt(later)).not.toBeNull();
    await a.attempt(later);
    await a.attempt(toGone);
    expect(await a.getDelivery(gone.id, later)).toMatchObject({ status: "sent" });
    expect(await a.getDelivery(gone.id, toGone)).toMatchObject({ status: "sent", attempts: 2 });
  });

  test("after ten failures in a row over an hour, and not before", async ({ a, deliveries }) => {
    const channel = await a.createChannel();
    a.receiver.answer = answerWith(500);
    const first = await deliveries.fire(channel.id);
    const second = await deliveries.fire(channel.id);
    for (let i = 0; i < 9; i++) await a.attempt(first);
    await deliveries.setFailingHours(channel.id, 2);
    expect(await a.getChannel(channel.id)).toMatchObject({ state: "working" });
    await a.attempt(second);
    expect(await a.getChannel(channel.id)).toMatchObject({
      state: "paused",
      pause_reason: "10 failures in a row. Last failure: HTTP 500",
    });
  });
});

describe("a test message", () => {
  test("returns the response of the receiver, for every kind of channel", async ({
    a,
    deliveries,
  }) => {
    const channels = await deliveries.makeChannels();
    for (const channel of channels) {
      expect(await deliveries.send(channel.id)).toMatchObject({
        status: 200,
        body: {
          status: "sent",
          attempts: 1,
          alert_firing_id: null,
          last_status: channel.kind === "email" ? null : 200,
          last_error: null,
        },
      });
    }
    expect(a.receiver.received).toHaveLength(3);
    const [, , , webhook] = channels;
    const [message] = deliveries.receivedAt("/webhook");
    const verified = new Webhook(webhook?.signing_secret ?? "").verify(
      message?.body ?? "",
      message?.headers as Record<string, string>,
    );
    expect(verified).toMatchObject({ type: "alert.test", data: { alert_channel_id: webhook?.id } });
  });

  test("that fails returns 200, is not retried, and does not count as a failure", async ({
    a,
    deliveries,
  }) => {
    const channel = await a.createChannel();
    a.receiver.answer = answerWith(418, { text: "a teapot" });
    const { status, body } = await deliveries.send(channel.id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "failed",
      last_status: 418,
      last_error: "HTTP 418: a teapot",
    });
    expect(await a.secondsToNextAttempt((body as { id: string }).id)).toBeNull();
    expect(await a.getChannel(channel.id)).toMatchObject({ failures_in_a_row: 0 });
  });

  test("fails if the host name of the target resolves to a private address", async ({
    a,
    deliveries,
  }) => {
    const channel = await a.createChannel({ kind: "webhook", url: "https://hooks.example.com/x" });
    expect((await deliveries.send(channel.id)).body).toMatchObject({
      status: "failed",
      last_status: null,
      last_error: expect.stringContaining("BURSAR_ALLOW_PRIVATE_TARGETS"),
    });
  });
});

test("a Slack channel that an earlier version stored sends to no other host", async ({
  a,
  deliveries,
}) => {
  const channel = await a.createChannel({ kind: "slack", url: `${a.receiver.origin}/slack` });
  const url = "https://example.com/in";
  const target_sealed = sealTarget(a.h.deps.sealingKey, channel.id, { kind: "slack", url });
  const { database } = a.h.deps;
  const change = database.updateTable("alert_channel").set({ target_sealed });
  await change.where("id", "=", channel.id).execute();
  expect((await deliveries.send(channel.id)).body).toMatchObject({
    status: "failed",
    last_status: null,
    last_error: expect.stringContaining("https://hooks.slack.com"),
  });
});

test("no address, key or secret of a channel is readable in the database or the logs", async ({
  a,
  deliveries,
}) => {
  const channels = await deliveries.makeChannels();
  a.receiver.answer = answerWith(500);
  const { deliveryIds } = await a.fire(channels.map(({ id }) => id));
  for (const id of deliveryIds) await a.attempt(id);
  const { database } = a.h.deps;
  const { rows: tables } = await sql<{ name: string }>`
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname IN ('public', 'graphile_worker')`.execute(database);
  let text = a.h.logs.join("\n");
  for (const { name } of tables) {
    const { rows } = await sql<{
      row: string;
    }>`SELECT t::text AS row FROM ${sql.raw(name)} t`.execute(database);
    text += rows.map(({ row }) => row).join("\n");
  }
  // The search does find other texts.
  expect(text).toContain(channels[1]?.id);
  expect(text).toContain("alert message not delivered");
  const secret = channels[3]?.signing_secret?.slice("whsec_".length) ?? "nothing";
  for (const hidden of ["T0/B0/secret", "token=secret", ROUTING_KEY, secret]) {
    expect(text).not.toContain(hidden);
    // Text form of `bytea`.
    expect(text).not.toContain(Buffer.from(hidden).toString("hex"));
  }
});
