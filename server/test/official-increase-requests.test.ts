import Anthropic from "@anthropic-ai/sdk";
import { expect } from "vitest";
import type { TestOrganization } from "./harness/admin.ts";
import { test as base } from "./harness/admin-test.ts";

// The official client decides increase requests.

const REQUESTS = "/v1/admin/spend_limit_increase_requests";

const test = base
  .extend(
    "setLimit",
    ({ org }) =>
      (scope: object) =>
        org.admin.post("/v1/admin/spend_limits", { scope, period: "monthly", limit_usd: 100 }),
  )
  .extend(
    "newMember",
    ({ org, workspaceId }) =>
      () =>
        org.member({ name: "Rita", workspaces: { [workspaceId]: "workspace_developer" } }),
  )
  .extend(
    "ask",
    ({ h, workspaceId }) =>
      async (by: { post: TestOrganization["admin"]["post"] }, scope?: object) => {
        h.clock.nowMs++;
        const { body } = await by.post<{ id: string }>(REQUESTS, {
          scope: scope ?? { type: "workspace", workspace_id: workspaceId },
          amount_usd: 500,
          reason: "A larger evaluation.",
        });
        return body.id;
      },
  );

let client: Anthropic;
let baseURL: string;

test.beforeAll(async ({ h }) => {
  baseURL = await h.app.listen({ host: "127.0.0.1", port: 0 });
});
test.beforeEach(async ({ org, workspaceId, setLimit }) => {
  client = new Anthropic({ apiKey: org.adminKey, baseURL, maxRetries: 0 });
  await setLimit({ type: "workspace", workspace_id: workspaceId });
});
const official = () => client.organization.spendLimits.increaseRequests;

test("a pending request has its requester, the limit and the spend", async ({
  h,
  org,
  workspaceId,
  newMember,
  ask,
}) => {
  const member = await newMember();
  await h.deps.database
    .insertInto("balance")
    .values({
      scope_type: "workspace",
      scope_id: workspaceId,
      period: "monthly",
      period_start: "2026-11-01",
      organization_id: org.id,
      settled_nano_usd: 1_205_059_999n,
    })
    .execute();
  const id = await ask(member.client);
  const actor = {
    type: "user_actor",
    user_id: member.id,
    name: "Rita",
    email_address: member.email,
    deleted: false,
  };
  const scope = { type: "workspace", workspace_id: workspaceId };
  const found = await official().retrieve(id);
  expect(found).toEqual({
    id,
    type: "spend_limit_increase_request",
    actor,
    created_at: new Date(h.clock.nowMs).toISOString(),
    period: "monthly",
    resolved_at: null,
    resolved_by: null,
    spend_summary: {
      actor,
      amount: "10000",
      currency: "USD",
      period: "monthly",
      // Cents with three decimals, cut.
      period_to_date_spend: "120.505",
      scope,
      source: scope,
      spend_limit_id: expect.stringMatching(/^spl_/),
    },
    status: "pending",
  });
});

test("an approval sets the limit, once", async ({ workspaceId, newMember, ask }) => {
  const id = await ask((await newMember()).client);
  const approved = await official().approve(id, { amount: "50000", period: "monthly" });
  expect(approved).toMatchObject({
    id,
    status: "approved",
    resolved_by: {
      type: "scoped_api_key_actor",
      scoped_api_key_id: expect.stringMatching(/^adminkey_/),
    },
    spend_summary: null,
    spend_limit: {
      type: "spend_limit",
      amount: "50000",
      scope: { type: "workspace", workspace_id: workspaceId },
    },
  });
  await expect(official().approve(id, { amount: "60000" })).rejects.toMatchObject({ status: 400 });
  await expect(official().deny(id, {})).rejects.toMatchObject({ status: 400 });
});

test("a repeated denial returns the same response", async ({ newMember, ask }) => {
  const id = await ask((await newMember()).client);
  const first = await official().deny(id, { suppress_notification: true });
  expect(first.status).toBe("denied");
  expect(await official().deny(id, {})).toEqual(first);
});

test("an approval for another period is refused", async ({ newMember, ask }) => {
  const id = await ask((await newMember()).client);
  const daily = official().approve(id, { amount: "50000", period: "daily" });
  await expect(daily).rejects.toMatchObject({ status: 400 });
  expect((await official().retrieve(id)).status).toBe("pending");
});

test("a key's limit has no official shape, and can still be raised", async ({
  h,
  org,
  workspaceId,
  setLimit,
  ask,
}) => {
  const key = await org.operator.createApiKey(workspaceId, { permissions: ["write"] });
  const scope = { type: "api_key", api_key_id: key.id };
  await setLimit(scope);
  const id = await ask(h.as(key.key), scope);
  expect(await official().retrieve(id)).toMatchObject({
    actor: { type: "scoped_api_key_actor", scoped_api_key_id: key.id },
    spend_summary: null,
  });
  expect(await official().approve(id, { amount: "50000" })).toMatchObject({
    status: "approved",
    spend_limit: null,
  });
});

test("the list excludes withdrawn requests and removed requesters, and filters by requester and status", async ({
  org,
  workspaceId,
  newMember,
  ask,
}) => {
  const [first, second, gone] = [await newMember(), await newMember(), await newMember()];
  const ofGone = await ask(gone.client);
  const ofFirst = await ask(first.client);
  const withdrawn = await ask(first.client, { type: "workspace", workspace_id: workspaceId });
  expect(withdrawn).toBe(ofFirst);
  await first.client.post(`${REQUESTS}/${ofFirst}/withdraw`);
  const again = await ask(first.client);
  const ofSecond = await ask(second.client);
  await official().deny(ofSecond, {});
  await org.operator.remove(`/v1/admin/members/${gone.id}`);
  const list = async (query: Parameters<ReturnType<typeof official>["list"]>[0]) => {
    const ids: string[] = [];
    for await (const { id } of official().list(query)) ids.push(id);
    return ids;
  };
  expect(await list({ limit: 1 })).toEqual([ofSecond, again]);
  expect(await list({ status: ["pending"] })).toEqual([again]);
  expect(await list({ actor_ids: [second.id] })).toEqual([ofSecond]);
  expect(await list({ actor_ids: [first.id], status: ["denied"] })).toEqual([]);
  await expect(official().retrieve(ofFirst)).rejects.toMatchObject({ status: 404 });
  await expect(official().deny(ofFirst, {})).rejects.toMatchObject({ status: 404 });
  expect((await official().retrieve(ofGone)).actor).toEqual({
    type: "user_actor",
    user_id: gone.id,
    name: null,
    email_address: null,
    deleted: true,
  });
});
