import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireScope } from "@bursar/contract/scope.ts";
import { sql } from "kysely";
import { afterEach, describe, expect, onTestFinished } from "vitest";
import type { PeriodName } from "#src/db/tables.ts";
import type { AdminHarness, TestOrganization } from "./harness/admin.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import type { FakeUpstream } from "./harness/fake-upstream.ts";
import {
  call,
  messageBody,
  startTestGateway,
  type TestGateway,
  withKey,
} from "./harness/gateway.ts";
import { startScim } from "./harness/scim.ts";
import { type SpendNode, startSpendNode } from "./harness/spend-node.ts";

// From the Admin API to the refusal. A test sets a limit over HTTP, the ledger reads it from the database, and the
// gateway responds to a Claude request over HTTP. Tests write the spend into the balances, and own the clock.

const LIMITS = "/v1/admin/spend_limits";
/** A Friday. */
const START_MS = Date.UTC(2026, 10, 20, 12);
const LIMIT_NANO_USD = 25_000_000_000n;

const test = base
  /** Sets the scope's settled spend in the period from `periodStart`. */
  .extend(
    "setSpent",
    ({ h }) =>
      async (
        of: { type: WireScope["type"]; period: PeriodName; periodStart: string },
        nanoUsd: bigint,
      ) => {
        await h.deps.database
          .insertInto("balance")
          .values({
            scope_type: of.type,
            scope_id: scopeOf(of.type).scopeId,
            period: of.period,
            period_start: of.periodStart,
            organization_id: organizationId,
            settled_nano_usd: nanoUsd,
          })
          .onConflict((conflict) =>
            conflict
              .columns(["scope_type", "scope_id", "period", "period_start"])
              .doUpdateSet({ settled_nano_usd: nanoUsd }),
          )
          .execute();
        await first.node.ledger.refresh();
      },
  )
  .extend("ask", ({ upstream }) => async (at: TestNode = first) => {
    const before = upstream.received.length;
    const headers = withKey(at.secret);
    const answer = await call(at.gateway.origin, { headers, body: messageBody() });
    const { type, error } = JSON.parse(answer.text) as {
      type: string;
      error?: { type: string; message: string };
    };
    const reached = upstream.received.length - before;
    return { status: answer.status, headers: answer.headers, type, error, reached };
  })
  .extend(
    "expectRefused",
    ({ ask }) =>
      async (words: string, detail: string, at: TestNode = first): Promise<void> => {
        const { status, headers, error, reached } = await ask(at);
        expect({ status, type: error?.type, reached }).toEqual({
          status: 400,
          type: "invalid_request_error",
          reached: 0,
        });
        expect(error?.message.startsWith(words)).toBe(true);
        expect(error?.message).toContain(detail);
        expect(headers["x-should-retry"]).toBe("false");
      },
  );

/** A node with its gateway, and the secret of the key there. */
interface TestNode {
  node: SpendNode;
  gateway: TestGateway;
  secret: string;
  stop(): Promise<void>;
}

let first: TestNode;
let organizationId: string;
let workspaceId: string;
let apiKeyId: string;
let memberId: string;
let groupId: string;
let tagId: string;
let organization: TestOrganization;
let admin: AdminHarness["operator"];

test.beforeEach(async ({ h, upstream }) => {
  h.clock.nowMs = START_MS;
  organization = await h.organization();
  ({ id: organizationId, admin } = organization);
  memberId = (await organization.member()).id;
  groupId = `group_${memberId}`;
  tagId = `tag_${memberId}`;
  await sql`INSERT INTO member_group (id, organization_id, name) VALUES (${groupId}, ${organizationId}, 'Research')`.execute(
    h.deps.database,
  );
  await sql`INSERT INTO tag (id, organization_id, name, value)
    VALUES (${tagId}, ${organizationId}, 'cost_center', '4711')`.execute(h.deps.database);
  workspaceId = (await admin.createWorkspace()).id;
  apiKeyId = (await admin.createApiKey(workspaceId)).id;
  first = await startNode(h, upstream, `node_${organizationId}`);
});
afterEach(() => first.stop());

async function startNode(
  h: AdminHarness,
  upstream: FakeUpstream,
  nodeId: string,
): Promise<TestNode> {
  const directory = await mkdtemp(join(tmpdir(), "bursar-limits-"));
  const databaseNowMs = () => h.clock.nowMs;
  const { database } = h.deps;
  const node = await startSpendNode({ database, directory, nodeId, databaseNowMs });
  const { ledger, leases } = node;
  const { origin } = upstream;
  const gateway = await startTestGateway({ origin, ledger, leases, databaseNowMs });
  return {
    node,
    gateway,
    secret: addKey(gateway),
    stop: async () => {
      await gateway.close();
      await node.stop();
      await rm(directory, { recursive: true });
    },
  };
}

function addKey(gateway: TestGateway): string {
  const people = { ownerMemberId: memberId, groupIds: [groupId], tagIds: [tagId] };
  return gateway.addKey({ id: apiKeyId, organizationId, workspaceId, ...people });
}

function scopeOf(type: WireScope["type"]): { scope: WireScope; scopeId: string } {
  switch (type) {
    case "organization":
      return { scope: { type }, scopeId: organizationId };
    case "workspace":
      return { scope: { type, workspace_id: workspaceId }, scopeId: workspaceId };
    case "api_key":
      return { scope: { type, api_key_id: apiKeyId }, scopeId: apiKeyId };
    case "member":
      return { scope: { type, member_id: memberId }, scopeId: memberId };
    case "group":
      return { scope: { type, group_id: groupId }, scopeId: groupId };
    case "tag":
      return { scope: { type, tag_id: tagId }, scopeId: tagId };
    case "group_member":
      return { scope: { type, group_id: groupId }, scopeId: groupId };
  }
}

async function setLimit(type: WireScope["type"], period: PeriodName, fields: object = {}) {
  const { scope } = scopeOf(type);
  const body = { scope, period, limit_usd: 25.0, enforcement: "soft", ...fields };
  const answer = await admin.post<{ id: string }>(LIMITS, body);
  expect(answer.status).toBe(200);
  await first.node.ledger.refresh();
  return answer.body.id;
}

const cases = [
  {
    type: "api_key",
    period: "daily",
    periodStart: "2026-11-20",
    regainAt: "2026-11-21",
    words: "You have reached your specified API key usage limits.",
  },
  {
    type: "workspace",
    period: "weekly",
    periodStart: "2026-11-16",
    regainAt: "2026-11-23",
    words: "You have reached your specified workspace API usage limits.",
  },
  {
    type: "organization",
    period: "monthly",
    periodStart: "2026-11-01",
    regainAt: "2026-12-01",
    words: "You have reached your specified API usage limits.",
  },
  {
    type: "member",
    period: "daily",
    periodStart: "2026-11-20",
    regainAt: "2026-11-21",
    words: "You have reached your specified personal API usage limits.",
  },
  {
    type: "group",
    period: "monthly",
    periodStart: "2026-11-01",
    regainAt: "2026-12-01",
    words: "You have reached your specified group API usage limits.",
  },
  {
    type: "tag",
    period: "weekly",
    periodStart: "2026-11-16",
    regainAt: "2026-11-23",
    words: "You have reached your specified tag API usage limits.",
  },
] as const;

function nameLimit(type: WireScope["type"], period: PeriodName): string {
  const { scopeId } = scopeOf(type);
  if (type === "member") return `Your personal ${period} spend limit (member ${scopeId})`;
  if (type === "group") return `The ${period} spend limit of group Research (${scopeId})`;
  if (type === "tag") return `The ${period} spend limit of tag cost_center: 4711 (${scopeId})`;
  return `The ${period} spend limit of ${type === "api_key" ? "API key" : type} ${scopeId}`;
}

describe("a limit refuses requests from its amount until its period ends", () => {
  test.for(cases)("$period, of scope $type", async (each, { h, setSpent, ask, expectRefused }) => {
    const { type, period, regainAt } = each;
    await setLimit(type, period);
    await setSpent(each, LIMIT_NANO_USD - 1n);
    expect(await ask()).toMatchObject({ status: 200, reached: 1 });
    await setSpent(each, LIMIT_NANO_USD);
    await expectRefused(
      `${each.words} You will regain access on ${regainAt} at 00:00 UTC. `,
      `${nameLimit(type, period)} is $25.00`,
    );
    h.clock.nowMs = Date.parse(regainAt) - 1;
    expect(await ask()).toMatchObject({ status: 400, reached: 0 });
    h.clock.nowMs = Date.parse(regainAt);
    expect(await ask()).toMatchObject({ status: 200, reached: 1 });
  });

  test.for(cases)(
    "$period, of scope $type: not when alert_only or deleted",
    async (each, { setSpent, ask }) => {
      const { type, period } = each;
      const id = await setLimit(type, period);
      await setSpent(each, LIMIT_NANO_USD);
      expect(await ask()).toMatchObject({ status: 400, reached: 0 });
      await setLimit(type, period, { enforcement: "alert_only" });
      expect(await ask()).toMatchObject({ status: 200, reached: 1 });
      await setLimit(type, period);
      expect(await ask()).toMatchObject({ status: 400, reached: 0 });
      expect((await admin.remove(`${LIMITS}/${id}`)).status).toBe(200);
      await first.node.ledger.refresh();
      expect(await ask()).toMatchObject({ status: 200, reached: 1 });
    },
  );

  test.for(cases)(
    "$period, of scope $type: not for spend of other scopes",
    async (each, { h, setSpent, ask }) => {
      await setLimit(each.type, each.period);
      await setSpent(each, LIMIT_NANO_USD);
      const elsewhere = await h.organization();
      const { id } = await elsewhere.admin.createWorkspace();
      const key = { organizationId: elsewhere.id, workspaceId: id };
      first.secret = first.gateway.addKey(key);
      expect(await ask()).toMatchObject({ status: 200, reached: 1 });
    },
  );
});

describe("a refusal has the new name of a group that was renamed", () => {
  const monthly = { type: "group", period: "monthly", periodStart: "2026-11-01" } as const;
  const words = "You have reached your specified group API usage limits.";

  test.for(["soft", "strict"])(
    "by hand, under a %s limit, on each node",
    async (enforcement, { h, upstream, setSpent, expectRefused }) => {
      const second = await startNode(h, upstream, `node_second_${organizationId}`);
      onTestFinished(() => second.stop());
      const expectOnEachNode = async (name: string) => {
        for (const at of [first, second]) {
          await at.node.ledger.refresh();
          await expectRefused(words, `group ${name} (${groupId})`, at);
        }
      };
      await setLimit("group", "monthly", { enforcement });
      await setSpent(monthly, LIMIT_NANO_USD);
      await expectOnEachNode("Research");
      expect((await admin.post(`/v1/admin/groups/${groupId}`, { name: "Science" })).status).toBe(
        200,
      );
      await expectOnEachNode("Science");
    },
  );

  test("by its directory", async ({ h, setSpent, expectRefused }) => {
    const scim = await startScim(h, organization);
    ({ id: groupId } = (await scim.send("POST", "/Groups", { displayName: "Research" })).body);
    first.secret = addKey(first.gateway);
    await setLimit("group", "monthly");
    await setSpent(monthly, LIMIT_NANO_USD);
    await expectRefused(words, `group Research (${groupId})`);
    await scim.send("PUT", `/Groups/${groupId}`, { displayName: "Science" });
    await first.node.ledger.refresh();
    await expectRefused(words, `group Science (${groupId})`);
  });
});
