import { sql } from "kysely";
import { afterAll, expect } from "vitest";
import { TEST_SECRET } from "#test/harness/test-secret.ts";
import { test as base } from "./harness/database-test.ts";
import { eventually } from "./harness/eventually.ts";
import { type Exchange, messageJson } from "./harness/fake-upstream.ts";
import { type MailServer, startMailServer } from "./harness/mail-server.ts";
import { startNodeClock } from "./harness/node-clock.ts";
import { type Receiver, startReceiver } from "./harness/receiver.ts";
import {
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
  textField,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";

// Three real nodes on one PostgreSQL, and a burst that crosses every threshold of a rule. Each threshold fires once,
// on any node. Each channel gets one message about the highest threshold that an evaluation crossed.

const REQUEST = { model: "claude-sonnet-4-5", maxTokens: 100, text: "Hi" };
/** 2,000 input tokens at $3 and 100 output tokens at $15 a million: $0.0075. */
const EXPENSIVE_USAGE = { input_tokens: 2_000, output_tokens: 100 };
const REQUESTS = 200;
/** Cost of 160 requests. */
const LIMIT_USD = 1.2;
/** Number of requests at 50, 75 and 90 % of the limit. */
const ANSWERED_BEFORE_KILL = [90, 125, 150];
/** Longest time from a threshold to its mail. */
const MAX_SECONDS = 5;
const THRESHOLDS = ["50%", "75%", "90%", "100%"];
/** A sweep every minute retries deliveries of a dead node: a message after one minute, a mail after two and a half. */
const RETRIED_WITHIN_MS = 300_000;
/** Age that the test adds to claims of a dead node. */
const AGED_SECONDS = 150;
/** Time in which live nodes send their own messages. */
const QUIET_MS = 3_000;

const test = base.extend("alerts", ({ db }) => {
  async function firingsOf({ workspaceId }: WorkspaceWithKey): Promise<Fired[]> {
    const rows = await db.database
      .selectFrom("alert_firing as firing")
      .innerJoin("alert", "alert.id", "firing.alert_id")
      .select(["firing.id", "threshold", "fired_at", "covered_by_id"])
      .where("alert.name", "=", "Burst")
      .where("workspace_id", "=", workspaceId)
      .execute();
    return rows.map(({ id, threshold, fired_at, covered_by_id }) => {
      return { id, threshold, firedAtMs: fired_at.getTime(), coveredById: covered_by_id };
    });
  }

  /** Number of unsent messages about the firings. A mail counts as sent once the mail server has it. */
  async function countWaiting(firings: readonly Fired[]): Promise<number> {
    const deliveries = await db.database
      .selectFrom("alert_delivery")
      .select(["id", "status"])
      .where(
        "alert_firing_id",
        "in",
        firings.map(({ id }) => id),
      )
      .execute();
    const mails = await db.database
      .selectFrom("mail")
      .select(["id", "status"])
      .where(
        "about_id",
        "in",
        deliveries.map(({ id }) => id),
      )
      .execute();
    expect(deliveries).toHaveLength(3 * idsWithMessages(firings).length);
    return [...deliveries, ...mails].filter(({ status }) => status !== "sent").length;
  }

  /** Ages the claims of a dead node. First waits until only its messages are unsent. */
  async function ageDeadClaims(firings: readonly Fired[]): Promise<void> {
    let known = { waiting: Number.NaN, sinceMs: Date.now() };
    await eventually(60_000, "live nodes to send their messages", async () => {
      const waiting = await countWaiting(firings);
      if (waiting !== known.waiting) known = { waiting, sinceMs: Date.now() };
      return Date.now() - known.sinceMs >= QUIET_MS ? true : null;
    });
    const passed = sql`make_interval(secs => ${AGED_SECONDS})`;
    await sql`UPDATE graphile_worker._private_jobs SET locked_at = locked_at - ${passed}
    WHERE locked_at IS NOT NULL`.execute(db.database);
    await sql`UPDATE alert_delivery SET created_at = created_at - ${passed}, last_attempt_at = last_attempt_at - ${passed}
    WHERE status = 'queued'`.execute(db.database);
    await sql`UPDATE mail SET created_at = created_at - ${passed}, claimed_until = claimed_until - ${passed}
    WHERE status = 'queued'`.execute(db.database);
  }

  /**
   * Waits until all messages are sent. Returns the messages that each receiver got about these firings: distinct ids.
   */
  async function waitForMessages(
    made: WorkspaceWithKey,
    boundMs: number,
    meanwhile: (firings: readonly Fired[]) => Promise<void> = async () => undefined,
  ) {
    const firings = await eventually(60_000, "four firings", async () => {
      const found = await firingsOf(made);
      return found.length >= THRESHOLDS.length ? found : null;
    });
    await meanwhile(firings);
    await eventually(boundMs, "every message to be sent", async () =>
      (await countWaiting(firings)) === 0 ? true : null,
    );
    const ids = new Set(firings.map(({ id }) => id));
    const about = (text: string) => /alerts\/firings\/(firing_\w+)/.exec(text)?.[1] ?? "";
    const mails = mail.received.filter(({ text = "" }) => ids.has(about(text)));
    const posts = receiver.received.filter(({ body }) => ids.has(about(body)));
    const slack = posts.filter(({ path }) => path === "/slack");
    const webhook = posts.filter(({ path }) => path === "/webhook");
    return {
      firings,
      mails: mails.map(({ messageId = "", text = "" }) => ({ messageId, firingId: about(text) })),
      slackIds: slack.map(({ body }) => about(body)),
      webhookIds: webhook.map(({ headers }) => String(headers["webhook-id"])),
      webhookFirings: webhook.map(({ body }) => about(body)),
    };
  }

  return { ageDeadClaims, waitForMessages };
});

let mail: MailServer;
let mailedAtMs: Map<string, number>;
let receiver: Receiver;
let nodes: ServerProcess[];

test.beforeAll(async ({ db, upstream }) => {
  mail = await startMailServer();
  mailedAtMs = recordTimes(mail);
  receiver = await startReceiver();
  const env = {
    DATABASE_URL: db.connectionString,
    BURSAR_SECRET: TEST_SECRET,
    ANTHROPIC_API_KEY: "test",
    ANTHROPIC_UPSTREAM_URL: upstream.origin,
    BURSAR_ALLOW_PRIVATE_TARGETS: "127.0.0.1",
    SMTP_URL: mail.url,
    BURSAR_MAIL_FROM: "Bursar <bursar@example.com>",
  };
  nodes = await Promise.all(Array.from({ length: 3 }, () => startServer({ env })));
  await createRule();
}, 180_000);

afterAll(async () => {
  await stopAllServers();
  await receiver.close();
  await mail.close();
});

/** Records when each message was first accepted, by its Message-ID. */
function recordTimes({ received }: MailServer): Map<string, number> {
  const times = new Map<string, number>();
  const push = received.push.bind(received);
  received.push = (...messages) => {
    for (const { messageId = "" } of messages) {
      if (!times.has(messageId)) times.set(messageId, Date.now());
    }
    return push(...messages);
  };
  return times;
}

function node(index: number): ServerProcess {
  const found = nodes[index];
  if (found === undefined) throw new Error(`there is a node ${index}`);
  return found;
}

async function createRule(): Promise<void> {
  const targets = [
    { kind: "email", recipients: { addresses: ["desk@example.com"] } },
    { kind: "slack", url: `${receiver.origin}/slack` },
    { kind: "webhook", url: `${receiver.origin}/webhook` },
  ];
  const channelIds: string[] = [];
  for (const target of targets) {
    const made = await node(0).mustOperator("POST", "/v1/admin/alert_channels", {
      name: `Burst ${target.kind}`,
      target,
    });
    channelIds.push(textField(made, "id"));
  }
  await node(0).mustOperator("POST", "/v1/admin/alerts", {
    name: "Burst",
    scope: { type: "organization" },
    includes_below: true,
    condition: { kind: "spend_limit" },
    channel_ids: channelIds,
  });
}

async function limitedWorkspace(): Promise<WorkspaceWithKey> {
  const made = await node(0).workspaceWithKey();
  await node(0).mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: made.workspaceId,
    monthly_limit_usd: LIMIT_USD,
    enforcement: "alert_only",
  });
  return made;
}

/** Sends a burst to all nodes in turn. Requests that a killed node interrupts have the status 0. */
function burst({ key }: WorkspaceWithKey): Promise<number>[] {
  return Array.from({ length: REQUESTS }, (_, i) =>
    sendMessage(node(i % nodes.length).url, key, { ...REQUEST, text: `Hi ${1_000 + i}` }).then(
      ({ status }) => status,
      () => 0,
    ),
  );
}

interface Fired {
  id: string;
  threshold: string;
  coveredById: string | null;
  firedAtMs: number;
}

/** Ids of the firings that have messages: no higher threshold covers them. */
function idsWithMessages(firings: readonly Fired[]): string[] {
  return sorted(firings.filter(({ coveredById }) => coveredById === null).map(({ id }) => id));
}

const sorted = (texts: Iterable<string>) => [...texts].sort();

test("a burst over all thresholds fires each one once and sends one message per uncovered threshold and channel", {
  timeout: 240_000,
}, async ({ upstream, alerts }) => {
  upstream.script = (exchange) => exchange.json(messageJson({ usage: EXPENSIVE_USAGE }));
  const made = await limitedWorkspace();
  const clock = await startNodeClock(nodes);
  const statuses = await Promise.all(burst(made));
  expect(new Set(statuses)).toEqual(new Set([200]));
  const told = await alerts.waitForMessages(made, 60_000);
  expect(sorted(told.firings.map(({ threshold }) => threshold))).toEqual(sorted(THRESHOLDS));
  const firingIds = idsWithMessages(told.firings);
  expect(sorted(told.mails.map(({ firingId }) => firingId))).toEqual(firingIds);
  expect(new Set(told.mails.map(({ messageId }) => messageId)).size).toBe(firingIds.length);
  expect(sorted(told.slackIds)).toEqual(firingIds);
  expect(sorted(told.webhookFirings)).toEqual(firingIds);
  expect(new Set(told.webhookIds).size).toBe(firingIds.length);
  await clock.stop();
  const since = (epochMs: number) => epochMs - performance.timeOrigin;
  for (const { messageId, firingId } of told.mails) {
    const firedAtMs = since(told.firings.find(({ id }) => id === firingId)?.firedAtMs ?? 0);
    const sentAtMs = since(mailedAtMs.get(messageId) ?? Number.POSITIVE_INFINITY);
    // The product promises this time. An idle machine takes less than a second.
    expect(clock.secondsBetween(firedAtMs, sentAtMs)).toBeLessThan(MAX_SECONDS);
  }
});

test("a node killed while messages are in transit causes no lost message and no second message id", {
  timeout: RETRIED_WITHIN_MS + 180_000,
}, async ({ upstream, alerts }) => {
  const hung: Exchange[] = [];
  let answered = 0;
  upstream.script = (exchange) => void hung.push(exchange);
  const made = await limitedWorkspace();
  const before = receiver.received.length;
  receiver.hold();
  const statuses = burst(made);
  await eventually(60_000, "every request to reach the upstream", async () =>
    hung.length === REQUESTS ? true : null,
  );
  // In the order of sending, so that each node has its part of the answered requests.
  hung.sort((a, b) => Buffer.compare(a.received.body, b.received.body));
  // Both receivers have three unanswered messages each in the end. Any node may have sent them.
  for (const [at, until] of ANSWERED_BEFORE_KILL.entries()) {
    for (const exchange of hung.splice(0, until - answered)) {
      exchange.json(messageJson({ usage: EXPENSIVE_USAGE }));
    }
    answered = until;
    await eventually(60_000, "messages to be in transit", async () =>
      receiver.received.length >= before + 2 * (at + 1) ? true : null,
    );
  }
  await node(2).kill();
  receiver.release();
  upstream.script = (exchange) => exchange.json(messageJson({ usage: EXPENSIVE_USAGE }));
  for (const exchange of hung)
    if (!exchange.isCut()) exchange.json(messageJson({ usage: EXPENSIVE_USAGE }));
  const answers = await Promise.all(statuses);
  expect(answers.filter((status) => status === 200).length).toBeGreaterThan(answered);
  // Requests that ended with the node are sent again, because the others may not reach the last threshold.
  const lost = answers.filter((status) => status !== 200);
  await Promise.all(lost.map(() => sendMessage(node(0).url, made.key, REQUEST)));
  nodes[2] = await node(2).restart();
  const told = await alerts.waitForMessages(
    made,
    RETRIED_WITHIN_MS - AGED_SECONDS * 1_000,
    alerts.ageDeadClaims,
  );
  expect(sorted(told.firings.map(({ threshold }) => threshold))).toEqual(sorted(THRESHOLDS));
  const firingIds = idsWithMessages(told.firings);
  const once = (ids: readonly string[]) => sorted(new Set(ids));
  // A message of the dead node may arrive again, under the same id.
  expect(once(told.slackIds)).toEqual(firingIds);
  expect(once(told.webhookFirings)).toEqual(firingIds);
  expect(once(told.webhookIds)).toHaveLength(firingIds.length);
  expect(once(told.mails.map(({ firingId }) => firingId))).toEqual(firingIds);
  expect(once(told.mails.map(({ messageId }) => messageId))).toHaveLength(firingIds.length);
});
