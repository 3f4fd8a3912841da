import type { listEffectiveMemberLimits } from "@bursar/contract/admin/official-spend-limits.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { TestMember } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";

type Page = z.output<(typeof listEffectiveMemberLimits)["response"]>;

const EFFECTIVE = "/v1/organizations/spend_limits/effective";
const DAY_MS = 86_400_000;

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend(
    "setLimit",
    { scope: "file" },
    ({ org }) =>
      async (period: string, limit_usd: number, enforcement = "strict") => {
        const limit = { scope: { type: "organization" }, period, limit_usd, enforcement };
        const answer = await org.admin.post<{ id: string }>("/v1/admin/spend_limits", limit);
        expect(answer.error.message).toBe("");
        return answer.body.id;
      },
  )
  .extend("list", ({ org }) => async (query = ""): Promise<Page> => {
    const answer = await org.admin.get<Page>(`${EFFECTIVE}${query}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  });

let ada: TestMember;
let alan: TestMember;
let monthlyId: string;

test.beforeAll(async ({ h, org, setLimit }) => {
  alan = await org.member({ name: "Alan", email: "alan@example.com" });
  h.clock.nowMs += 1_000;
  ada = await org.member({ name: "Ada", email: "ada@example.com" });
  const { id: workspaceId } = await org.admin.createWorkspace();
  const { id: apiKeyId } = await org.admin.createApiKey(workspaceId);
  const spend = async (memberId: string, count: number) => {
    for (let i = 0; i < count; i++) await org.recordRequest({ workspaceId, apiKeyId, memberId });
  };
  // A request costs 0.0000811 dollars. Ten days ago counts for the month only.
  await spend(alan.id, 2);
  await spend(ada.id, 1);
  h.clock.nowMs -= 10 * DAY_MS;
  await spend(ada.id, 2);
  h.clock.nowMs += 10 * DAY_MS;
  monthlyId = await setLimit("monthly", 123.45);
  await setLimit("daily", 1, "soft");
  await setLimit("weekly", 5, "alert_only");
});

const briefly = ({ data }: Page) =>
  data.map((row) => [row.actor.name, row.period, row.amount, row.period_to_date_spend]);

test("a row has the organization's limit and what the member's keys have spent", async ({
  list,
}) => {
  const { data } = await list(`?user_ids[]=${ada.id}&period[]=monthly`);
  expect(data).toEqual([
    {
      actor: {
        type: "user_actor",
        user_id: ada.id,
        name: "Ada",
        email_address: "ada@example.com",
        deleted: false,
      },
      amount: "12345",
      currency: "USD",
      period: "monthly",
      period_to_date_spend: "0.024",
      scope: { type: "user", user_id: ada.id },
      source: { type: "organization" },
      spend_limit_id: monthlyId,
    },
  ]);
});

test("newest members come first, with a row for each period that can refuse requests", async ({
  list,
}) => {
  expect(briefly(await list())).toEqual([
    ["Ada", "monthly", "12345", "0.024"],
    ["Ada", "daily", "100", "0.008"],
    ["Alan", "monthly", "12345", "0.016"],
    ["Alan", "daily", "100", "0.016"],
  ]);
});

test("sort=spend_desc lists the highest spend of the longest period first", async ({ list }) => {
  expect(briefly(await list("?sort=spend_desc")).map(([name]) => name)).toEqual([
    "Ada",
    "Ada",
    "Alan",
    "Alan",
  ]);
  expect(briefly(await list("?sort=spend_desc&period=daily")).map(([name]) => name)).toEqual([
    "Alan",
    "Ada",
  ]);
});

test.for(["", "&sort=spend_desc"])("pages list each member once: %s", async (query, { list }) => {
  const first = await list(`?limit=1${query}`);
  expect(briefly(first).map(([name]) => name)).toEqual(["Ada", "Ada"]);
  const second = await list(`?limit=1${query}&page=${first.next_page}`);
  expect(briefly(second).map(([name]) => name)).toEqual(["Alan", "Alan"]);
  expect(second.next_page).toBeNull();
});

test("q finds a part of a name or address", async ({ list }) => {
  expect(briefly(await list("?q=ALAN@&period=daily"))).toEqual([["Alan", "daily", "100", "0.016"]]);
  expect(briefly(await list("?q=%25"))).toEqual([]);
});

test("a member's own value or a group's default replaces the organization's limit", async ({
  org,
  list,
}) => {
  const { id } = await org.member({ name: "Grace" });
  const groupId = (await org.admin.post<{ id: string }>("/v1/admin/groups", { name: "Research" }))
    .body.id;
  const set = (scope: object, period: string, limit_usd: number, fields: object = {}) =>
    org.admin.post<{ id: string }>("/v1/admin/spend_limits", {
      ...{ scope, period, limit_usd, ...fields },
    });
  const ofGroup = { type: "group_member", group_id: groupId };
  const inherited = await set(ofGroup, "monthly", 20);
  await set(ofGroup, "daily", 2);
  await org.admin.post(`/v1/admin/groups/${groupId}/members`, { member_id: id });
  const ofMember = { type: "member", member_id: id };
  const own = await set(ofMember, "daily", 3);
  const rows = async () =>
    (await list(`?user_ids=${id}`)).data.map(({ period, amount, source, spend_limit_id }) => ({
      ...{ period, amount, source, spend_limit_id },
    }));
  const monthly = {
    period: "monthly",
    amount: "2000",
    source: { type: "rbac_group", rbac_group_id: groupId },
    spend_limit_id: inherited.body.id,
  };
  expect(await rows()).toEqual([
    monthly,
    {
      period: "daily",
      amount: "300",
      source: { type: "user", user_id: id },
      spend_limit_id: own.body.id,
    },
  ]);
  await set(ofMember, "daily", 3, { enforcement: "alert_only" });
  expect(await rows()).toMatchObject([monthly, { period: "daily", amount: null }]);
  await org.admin.remove(`/v1/admin/groups/${groupId}`);
  expect(await rows()).toMatchObject([
    { period: "monthly", source: { type: "organization" } },
    { period: "daily", amount: null },
  ]);
});

test("without a limit of the organization only members with a limit have rows", async ({ h }) => {
  const other = await h.organization();
  const members = [await other.member(), await other.member(), await other.member()];
  for (const { id } of members.slice(0, 2)) {
    const scope = { type: "member", member_id: id };
    await other.admin.post("/v1/admin/spend_limits", { scope, period: "weekly", limit_usd: 5 });
  }
  const { body } = await other.admin.get<Page>(`${EFFECTIVE}?limit=2`);
  expect(body.data.map(({ scope, source }) => [scope, source])).toEqual(
    members
      .slice(0, 2)
      .map(({ id }) => [
        { type: "user", user_id: id },
        { type: "user", user_id: id },
      ])
      .toReversed(),
  );
  expect(body.next_page).toBe(null);
});

test("omits removed members and periods without a limit that can refuse requests", async ({
  org,
  list,
}) => {
  expect(briefly(await list("?period=weekly"))).toEqual([]);
  const removed = await org.member({ name: "Gone" });
  await org.admin.remove(`/v1/organizations/users/${removed.id}`);
  expect(briefly(await list(`?user_ids=${removed.id}`))).toEqual([]);
});

test("refuses a workspace key", async ({ h, org }) => {
  const { id } = await org.admin.createWorkspace();
  const { key } = await org.admin.createApiKey(id, { permissions: ["admin"] });
  expect((await h.as(key).get(EFFECTIVE)).status).toBe(403);
});

test("another organization's members and spend do not count", async ({ h }) => {
  const other = await h.organization();
  const { body } = await other.admin.get<Page>(`${EFFECTIVE}?user_ids=${ada.id}`);
  expect(body).toEqual({ data: [], next_page: null });
});
