import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, describe, expect } from "vitest";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import type { TestDatabase } from "#test/harness/database.ts";
import { type DatabaseRelay, startDatabaseRelay } from "#test/harness/database-relay.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { openTokens, signInLaptop } from "#test/harness/laptops.ts";
import { startNodeClock } from "#test/harness/node-clock.ts";
import {
  type Answer,
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
  textField,
  type WorkspaceWithKey,
} from "#test/harness/server-process.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";

// Three processes on one PostgreSQL: each stops accepting a revoked key within a second.

const SECRET = TEST_SECRET;
const MAX_SECONDS = 1;
const SENDERS_PER_NODE = 2;
/** Pause between two requests of a sender. Short beside the promised second, and long enough for a quiet machine. */
const SENDER_PAUSE_MS = 30;
const WARM_UP_MS = 150;
/** Time for which refusing nodes are checked again. */
const AFTERWARDS_MS = 250;
/** Long beside a poll and a request on a busy machine. */
const LEASE_TTL_MS = 4_000;

const test = base.extend("database", { scope: "file" }, ({ db }) => db);

let relay: DatabaseRelay;
let nodes: ServerProcess[];
/** The node that reaches the database through the relay. */
let isolated: ServerProcess;
let first: ServerProcess;

test.beforeAll(async ({ database }) => {
  relay = await startDatabaseRelay(database.connectionString);
  const start = (connectionString: string) =>
    startServer({
      env: {
        DATABASE_URL: connectionString,
        BURSAR_SECRET: SECRET,
        BURSAR_LEASE_TTL: `${LEASE_TTL_MS}ms`,
      },
    });
  const { connectionString } = database;
  first = await start(connectionString);
  const others = [start(connectionString), start(connectionString), start(relay.connectionString)];
  const [second, third, fourth] = await Promise.all(others);
  if (!second || !third || !fourth) throw new Error("four nodes were started");
  nodes = [first, second, third];
  isolated = fourth;
}, 240_000);
afterAll(async () => {
  await stopAllServers();
  await relay.close();
});

interface Sent {
  node: ServerProcess;
  sentAtMs: number;
  endedAtMs: number;
  answer: Answer;
}

/** Sends requests with one key to all of these nodes at once. Each sender sends one after the other until stopped. */
function startLoad(on: readonly ServerProcess[], keyOf: () => string) {
  const sent: Sent[] = [];
  let isStopped = false;
  const senders = on.flatMap((node) =>
    Array.from({ length: SENDERS_PER_NODE }, async () => {
      while (!isStopped) {
        const sentAtMs = performance.now();
        const answer = await sendMessage(node.url, keyOf(), { maxTokens: 1 });
        sent.push({ node, sentAtMs, endedAtMs: performance.now(), answer });
        await delay(SENDER_PAUSE_MS);
      }
    }),
  );
  return {
    sent,
    stop: async () => {
      isStopped = true;
      await Promise.all(senders);
    },
  };
}

const isAccepted = ({ answer }: Sent) => answer.status === 200;

/** Seconds from the revocation's response to the last accepted request's start. */
async function revokeUnderLoad(
  made: WorkspaceWithKey,
  revoke: () => Promise<unknown>,
  on: readonly ServerProcess[] = nodes,
) {
  const load = startLoad(on, () => made.key);
  await eventually(30_000, "every node to serve the key", async () =>
    on.every((node) => load.sent.some((each) => each.node === node && isAccepted(each)))
      ? true
      : null,
  );
  await delay(WARM_UP_MS);
  const clock = await startNodeClock(on);
  await revoke();
  const revokedAtMs = performance.now();
  await eventually(30_000, "every node to refuse the key", async () =>
    on.every((node) => load.sent.some((each) => each.node === node && !isAccepted(each)))
      ? true
      : null,
  );
  await delay(AFTERWARDS_MS);
  await load.stop();
  await clock.stop();
  const accepted = load.sent.filter(isAccepted);
  const refused = load.sent.filter((each) => !isAccepted(each));
  expect(new Set(refused.map(({ answer }) => answer.status))).toEqual(new Set([401]));
  const lastAcceptedMs = Math.max(...accepted.map(({ sentAtMs }) => sentAtMs));
  return {
    lastAcceptedAfterSeconds: clock.secondsBetween(revokedAtMs, lastAcceptedMs),
    reasons: new Set(refused.map(({ answer }) => answer.text.match(/"message":"([^"]*)"/)?.[1])),
  };
}

const change = (node: ServerProcess, path: string, body?: object) =>
  node.mustAdmin("POST", `/v1/admin/${path}`, body);

/** Inserts a member with a role in the workspace, or without one. */
async function makeMember(database: TestDatabase, workspaceId: string | null): Promise<string> {
  const organization = await first.mustAdmin("GET", "/v1/organizations/me");
  const id = `user_${crypto.randomUUID()}`;
  const organization_id = textField(organization, "id");
  const person = { id, organization_id, email: `${id}@example.com`, name: "Ada", role: "user" };
  await inSignedTransaction(signingOf(database), async (tx) => {
    await tx
      .insertInto("member")
      .values({ ...person, role: "user" })
      .execute();
    if (workspaceId === null) return;
    await tx
      .insertInto("workspace_member")
      .values({ workspace_id: workspaceId, member_id: id, role: "workspace_user" })
      .execute();
  });
  return id;
}

/** Creates a key of the member, who has no session that could show a waiting secret. */
async function makePersonalKey(database: TestDatabase, workspaceId: string, memberId: string) {
  const key = await change(first, "api_keys", { name: "personal", workspace_id: workspaceId });
  const apiKeyId = textField(key, "id");
  await inSignedTransaction(signingOf(database), (tx) =>
    tx
      .updateTable("api_key")
      .set({ owner_member_id: memberId })
      .where("id", "=", apiKeyId)
      .execute(),
  );
  return { workspaceId, apiKeyId, key: textField(key, "key") };
}

/** Signs a laptop of the member in. Its access token is the key that clients send. */
async function makeLaptop({ database }: TestDatabase, workspaceId: string, memberId: string) {
  const accessTokens = await openTokens({ database }, SECRET);
  const organization = await first.mustAdmin("GET", "/v1/organizations/me");
  const organizationId = textField(organization, "id");
  const deps = { database, rows: makeRowSigner({ secret: SECRET }), accessTokens, nowMs: Date.now };
  const laptop = await signInLaptop(deps, { organizationId, workspaceId, memberId });
  const { apiKeyId, accessToken: key } = laptop;
  return { laptop, made: { workspaceId, apiKeyId, key } };
}

const signingOf = ({ database }: TestDatabase) => ({
  database,
  rows: makeRowSigner({ secret: SECRET }),
});

/** Commits the deactivation of a member. */
const deactivate = (database: TestDatabase, memberId: string) =>
  inSignedTransaction(signingOf(database), async (tx) => {
    await tx
      .updateTable("member")
      .set({ status: "deactivated" })
      .where("id", "=", memberId)
      .execute();
    await bumpChangeCounter(tx, [{ kind: "member", id: memberId }]);
  });

let directories = 0;
/** Creates a directory that provides people by SCIM, through this node. */
async function startFeed(node: ServerProcess) {
  directories += 1;
  const issuer = `https://directory-${directories}.example.com`;
  const directory = await first.mustOperator("POST", "/v1/admin/directories", {
    ...{ name: "Okta", issuer, allowed_domains: ["example.com"] },
  });
  const tokens = `/v1/admin/directories/${textField(directory, "id")}/scim_tokens`;
  const made = await first.mustOperator("POST", tokens);
  const send = async (method: string, path: string, body: object) => {
    const response = await fetch(`${node.url}/scim/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${textField(made, "token")}`,
        "content-type": "application/scim+json",
      },
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
    return response.json() as Promise<Record<string, unknown>>;
  };
  const userName = `${crypto.randomUUID()}@example.com`;
  return {
    createUser: async () => textField(await send("POST", "/Users", { userName }), "id"),
    deactivate: (id: string) =>
      send("PATCH", `/Users/${id}`, {
        Operations: [{ op: "replace", path: "active", value: false }],
      }),
  };
}

type Way = (
  made: WorkspaceWithKey,
  node: ServerProcess,
  database: TestDatabase,
) => Promise<{ made: WorkspaceWithKey; revoke: () => Promise<unknown> }>;

const ways: [string, Way, RegExp][] = [
  [
    "the key was archived",
    async (made, node) => ({
      made,
      revoke: () => change(node, `api_keys/${made.apiKeyId}`, { status: "archived" }),
    }),
    /^This API key is archived/,
  ],
  [
    "the key was disabled",
    async (made, node) => ({
      made,
      revoke: () => change(node, `api_keys/${made.apiKeyId}`, { status: "inactive" }),
    }),
    /^This API key is disabled/,
  ],
  [
    "the key was rotated",
    async (made, node) => ({
      made,
      revoke: () => change(node, `api_keys/${made.apiKeyId}/rotate`, {}),
    }),
    /^This API key was rotated/,
  ],
  [
    "its workspace was archived",
    async (made, node) => ({
      made,
      revoke: () => change(node, `workspaces/${made.workspaceId}/archive`),
    }),
    /^The workspace of this API key is archived/,
  ],
  [
    "its owner was deactivated",
    async (made, _, database) => {
      const memberId = await makeMember(database, made.workspaceId);
      return {
        made: await makePersonalKey(database, made.workspaceId, memberId),
        revoke: () => deactivate(database, memberId),
      };
    },
    /^The owner of this key has been deactivated/,
  ],
  [
    "the laptop was ended",
    async ({ workspaceId }, node, database) => {
      const memberId = await makeMember(database, workspaceId);
      const { made, laptop } = await makeLaptop(database, workspaceId, memberId);
      const url = `/v1/admin/laptops/${laptop.id}`;
      return { made, revoke: () => node.mustAdmin("DELETE", url) };
    },
    /^This sign-in of Claude Code has ended/,
  ],
  [
    "the group of its laptop's member lost its role",
    async ({ workspaceId }, node, database) => {
      const memberId = await makeMember(database, null);
      const group = `groups/${textField(await change(first, "groups", { name: "Crew" }), "id")}`;
      const place = `${group}/workspaces/${workspaceId}`;
      await change(first, place, { workspace_role: "workspace_user" });
      await change(first, `${group}/members`, { member_id: memberId });
      const { made } = await makeLaptop(database, workspaceId, memberId);
      return { made, revoke: () => node.mustAdmin("DELETE", `/v1/admin/${place}`) };
    },
    /^You no longer have access to the workspace/,
  ],
  [
    "the group of its owner lost its role",
    async ({ workspaceId }, node, database) => {
      const memberId = await makeMember(database, null);
      const group = `groups/${textField(await change(first, "groups", { name: "Staff" }), "id")}`;
      const place = `${group}/workspaces/${workspaceId}`;
      await change(first, place, { workspace_role: "workspace_user" });
      await change(first, `${group}/members`, { member_id: memberId });
      return {
        made: await makePersonalKey(database, workspaceId, memberId),
        revoke: () => node.mustAdmin("DELETE", `/v1/admin/${place}`),
      };
    },
    /^The owner of this key/,
  ],
];

describe("no node accepts a key for more than a second, under load, after", () => {
  test.for(ways)("%s", { timeout: 240_000 }, async ([_, way, reason], { database }) => {
    // The node that created the key and knows it already, and a node that does not.
    for (const node of nodes.slice(0, 2)) {
      const { made, revoke } = await way(await first.workspaceWithKey(), node, database);
      const outcome = await revokeUnderLoad(made, revoke);
      expect(outcome.lastAcceptedAfterSeconds).toBeLessThan(MAX_SECONDS);
      expect([...outcome.reasons]).toEqual([expect.stringMatching(reason)]);
    }
  });
});

test("none of four nodes accepts a person's key for more than a second after a directory deactivated the person", {
  timeout: 240_000,
}, async ({ database }) => {
  const { workspaceId } = await first.workspaceWithKey();
  const scim = await startFeed(first);
  const memberId = await scim.createUser();
  const role = { member_id: memberId, workspace_role: "workspace_user" };
  await change(first, `workspaces/${workspaceId}/members`, role);
  const made = await makePersonalKey(database, workspaceId, memberId);
  const four = [...nodes, isolated];
  const outcome = await revokeUnderLoad(made, () => scim.deactivate(memberId), four);
  expect(outcome.lastAcceptedAfterSeconds).toBeLessThan(MAX_SECONDS);
  expect([...outcome.reasons]).toEqual([
    expect.stringMatching(/^The owner of this key has been deactivated/),
  ]);
});

test("no node accepts a key for more than a second when notifications are lost", {
  timeout: 240_000,
}, async ({ database }) => {
  const setTrigger = (state: "DISABLE" | "ENABLE") =>
    sql`ALTER TABLE change_counter ${sql.raw(state)} TRIGGER change_counter_notify`.execute(
      database.database,
    );
  const made = await first.workspaceWithKey();
  await setTrigger("DISABLE");
  const outcome = await revokeUnderLoad(made, () =>
    change(first, `api_keys/${made.apiKeyId}`, { status: "archived" }),
  );
  await setTrigger("ENABLE");
  expect(outcome.lastAcceptedAfterSeconds).toBeLessThan(MAX_SECONDS);
});

test("a rotation with a grace period fails no request, and reports the last use of each secret", {
  timeout: 240_000,
}, async () => {
  const made = await first.workspaceWithKey();
  let current = made.key;
  const before = startLoad(nodes, () => made.key);
  const moving = startLoad(nodes, () => current);
  await delay(WARM_UP_MS);
  const rotated = await change(first, `api_keys/${made.apiKeyId}/rotate`, {
    grace_period_seconds: 2,
  });
  const graceEndsAtMs = Date.parse(
    (rotated["secrets"] as { valid_until: string }[])[1]?.valid_until ?? "",
  );
  current = textField(rotated, "key");
  await eventually(30_000, "the old secret to be refused on every node", async () =>
    nodes.every((node) => before.sent.some((each) => each.node === node && !isAccepted(each)))
      ? true
      : null,
  );
  await before.stop();
  await moving.stop();
  expect(moving.sent.filter((each) => !isAccepted(each))).toEqual([]);
  // One machine has one clock. No request in the grace period was refused, and none after it was accepted.
  const toEpochMs = (atMs: number) => performance.timeOrigin + atMs;
  const refused = before.sent.filter((each) => !isAccepted(each));
  const accepted = before.sent.filter(isAccepted);
  const slackMs = 50; // between the test's clock and the nodes' estimate of the database's clock
  expect(Math.min(...refused.map(({ endedAtMs }) => toEpochMs(endedAtMs)))).toBeGreaterThan(
    graceEndsAtMs - slackMs,
  );
  expect(Math.max(...accepted.map(({ sentAtMs }) => toEpochMs(sentAtMs)))).toBeLessThan(
    graceEndsAtMs + slackMs,
  );
  for (const { answer } of refused) expect(answer.text).toContain("was rotated");

  const uses = await eventually(60_000, "both last uses", async () => {
    const rows = await first.sql<{ last_used_at: Date | null; last_used_model: string }>(
      "SELECT last_used_at, last_used_model FROM api_key_secret WHERE api_key_id = $1 ORDER BY id",
      [made.apiKeyId],
    );
    const newest = [accepted, moving.sent].map((load) =>
      toEpochMs(Math.max(...load.map(({ sentAtMs }) => sentAtMs))),
    );
    const isWritten = rows.every(
      (row, index) => Number(row.last_used_at) > (newest[index] ?? 0) - slackMs,
    );
    return isWritten ? rows : null;
  });
  expect(uses.map((use) => use.last_used_model)).toEqual(
    Array(2).fill("claude-haiku-4-5-20251001"),
  );
  expect(Number(uses[0]?.last_used_at)).toBeLessThan(graceEndsAtMs);
});

test("a node without the database stops accepting keys after the bound, and refuses the revoked one once connected", {
  timeout: 240_000,
}, async () => {
  const made = await first.workspaceWithKey();
  const load = startLoad([isolated], () => made.key);
  // Waits until the node has polled the creation of the key and read the key once more. Cut off earlier, the node
  // could not read it.
  await delay(LEASE_TTL_MS / 2);
  expect(load.sent.filter((each) => !isAccepted(each))).toEqual([]);
  relay.cut();
  const cutAtMs = performance.now();
  await change(first, `api_keys/${made.apiKeyId}`, { status: "archived" });
  await eventually(LEASE_TTL_MS + 30_000, "the node to refuse the key", async () =>
    load.sent.some((each) => !isAccepted(each)) ? true : null,
  );
  relay.restore();
  await load.stop();
  const lastMs = Math.max(...load.sent.filter(isAccepted).map(({ sentAtMs }) => sentAtMs));
  // The node continued for a while, but no longer than the bound.
  expect(lastMs - cutAtMs).toBeGreaterThan(LEASE_TTL_MS / 2);
  expect(lastMs - cutAtMs).toBeLessThanOrEqual(LEASE_TTL_MS + 100);
  expect(load.sent.find((each) => !isAccepted(each))?.answer.status).toBe(503);
  const told = await eventually(30_000, "the node to read the revocation", async () => {
    const answer = await sendMessage(isolated.url, made.key);
    return answer.status === 401 ? answer : null;
  });
  expect(told.text).toContain("This API key is archived");
});
