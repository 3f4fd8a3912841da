import type { workspaceLimit } from "@bursar/contract/admin/spend-limits.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const LIMITS = "/v1/admin/workspaces/limits";
type Limit = z.output<typeof workspaceLimit>;

const test = base
  .extend(
    "set",
    ({ org }) =>
      (amount: unknown) =>
        org.admin.post<Limit>(LIMITS, { workspace_id: workspaceId, monthly_limit_usd: amount }),
  )
  .extend(
    "get",
    ({ org }) =>
      async () =>
        (await org.admin.get<Listed<Limit>>(`${LIMITS}?workspace_id=${workspaceId}`)).body.data[0],
  )
  .extend("spend", ({ h, org }) => async (nanoUsd: bigint, periodStart: string): Promise<void> => {
    const charge = {
      scopeType: "workspace",
      scopeId: workspaceId,
      period: "monthly",
      periodStart,
      organizationId: org.id,
      nanoUsd,
    } as const;
    await h.deps.database.transaction().execute((tx) => addToBalances(tx, [charge]));
  });

let workspaceId: string;
test.beforeEach(async ({ org }) => {
  workspaceId = (await org.admin.createWorkspace({ name: "Team" })).id;
});

test("the documented call stores the exact amount", async ({ org }) => {
  const answer = await org.admin.send<Limit>({
    method: "POST",
    url: LIMITS,
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
    payload: `{"workspace_id": "${workspaceId}", "monthly_limit_usd": 100.00}`,
  });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    type: "workspace_limit",
    id: expect.stringMatching(/^spl_[0-9A-Za-z]{24}$/),
    workspace_id: workspaceId,
    workspace_name: "Team",
    monthly_limit_usd: 100,
    enforcement: "strict",
    period: "monthly",
    period_starts_at: "2026-11-01T00:00:00.000Z",
    period_ends_at: "2026-12-01T00:00:00.000Z",
    spent_usd: "0.00",
    held_usd: "0.00",
    unresolved_usd: "0.00",
    overrun_usd: "0.00",
    beyond_holds_usd: "0.00",
    remaining_usd: "100.00",
    blocks_now: false,
    state: "active",
    activating_since: null,
    open_ended_hold_usd: null,
    unknown_features: "hold",
    hold: "steps",
    values: [
      {
        rank: "admin",
        limit_usd: 100,
        enforcement: "strict",
        open_ended_hold_usd: null,
        unknown_features: "hold",
        hold: "steps",
        set_by: { type: "admin_key", id: expect.any(String) },
        set_at: expect.stringMatching(/Z$/),
      },
    ],
    version: expect.any(Number),
    updated_at: expect.stringMatching(/Z$/),
  });
});

describe("amounts are read as decimals", () => {
  test.for([
    [0.1, 100_000_000n],
    [0, 0n],
    ["100.00", 100_000_000_000n],
    [123456.789012345, 123_456_789_012_345n],
    ["0.000000001", 1n],
    [1_000_000_000, 1_000_000_000_000_000_000n],
  ] as const)("%s is stored exactly in nano-USD", async ([amount, nanoUsd], { h, set, get }) => {
    expect((await set(amount)).status).toBe(200);
    const row = await h.deps.database
      .selectFrom("spend_limit")
      .select("amount_nano_usd")
      .where("scope_id", "=", workspaceId)
      .executeTakeFirstOrThrow();
    expect(row.amount_nano_usd).toBe(nanoUsd);
    expect((await get())?.monthly_limit_usd).toBe(Number(amount));
  });

  test.for([
    -1,
    "-1",
    "ten",
    "",
    true,
    [100],
    "1e3",
    0.0000000001,
    10_000_000_000,
    "9999999999",
    "123456789.1234567",
  ])("refuses %j and names the field", async (amount, { set, get }) => {
    const answer = await set(amount);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain("monthly_limit_usd: ");
    expect(await get()).toMatchObject({ monthly_limit_usd: null });
  });
});

test("a second request replaces the limit under its id, and an equal amount changes nothing", async ({
  h,
  set,
}) => {
  const first = (await set(100)).body;
  const second = (await set(50.5)).body;
  await set(50.5);
  expect(second).toMatchObject({ id: first.id, monthly_limit_usd: 50.5 });
  const events = await auditEventsOf(h.deps.database, first.id ?? "");
  expect(events).toMatchObject([
    { event: "spend_limit.set", workspace_id: workspaceId, before: null },
    { before: { limit_usd: "100.00" }, after: { limit_usd: "50.50" } },
  ]);
  expect(events.length).toBe(2);
});

test("null removes the limit, and changes nothing without a limit", async ({ h, set }) => {
  const { id } = (await set(100)).body;
  const removed = await set(null);
  expect(removed.body).toMatchObject({
    id: null,
    monthly_limit_usd: null,
    enforcement: null,
    remaining_usd: null,
  });
  expect((await set(null)).status).toBe(200);
  const events = await auditEventsOf(h.deps.database, id ?? "");
  expect(events.map(({ after }) => after)).toEqual([expect.anything(), null]);
});

test("shows the exact spend of the month and the remaining amount, at least zero", async ({
  set,
  get,
  spend,
}) => {
  await set(0.1);
  await spend(10_500_000n, "2026-11-01");
  await spend(999_000_000_000n, "2026-10-01");
  expect(await get()).toMatchObject({ spent_usd: "0.0105", remaining_usd: "0.0895" });
  await spend(100_000_000n, "2026-11-01");
  expect(await get()).toMatchObject({ spent_usd: "0.1105", remaining_usd: "0.00" });
  expect((await set(1)).body).toMatchObject({ spent_usd: "0.1105", remaining_usd: "0.8895" });
});

test("lists every active workspace, with or without a limit, newest first and in pages", async ({
  h,
  org,
  set,
}) => {
  h.clock.nowMs++;
  const newer = await org.admin.createWorkspace();
  const archived = await org.admin.createWorkspace();
  await org.admin.post(`/v1/admin/workspaces/${archived.id}/archive`);
  await set(7);
  const first = await org.admin.get<Listed<Limit>>(`${LIMITS}?limit=1`);
  expect(first.body.data).toMatchObject([{ workspace_id: newer.id, monthly_limit_usd: null }]);
  const rest = await org.admin.get<Listed<Limit>>(`${LIMITS}?page=${first.body.next_page}`);
  expect(
    new Set(
      rest.body.data.map(({ workspace_name, monthly_limit_usd }) => [
        workspace_name,
        monthly_limit_usd,
      ]),
    ),
  ).toEqual(
    new Set([
      ["Team", 7],
      ["Default", null],
    ]),
  );
  expect(rest.body.next_page).toBeNull();
});

test("the limit of an archived workspace can be read but not changed", async ({
  org,
  set,
  get,
}) => {
  await set(7);
  await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
  expect((await get())?.monthly_limit_usd).toBe(7);
  const answer = await set(8);
  expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
});

test("concurrent changes leave one limit, with one audit event for each change", async ({
  h,
  set,
}) => {
  const answers = await Promise.all([10, 20, 30, 40].map((amount) => set(amount)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const ids = new Set(answers.map(({ body }) => body.id));
  expect(ids.size).toBe(1);
  const [id] = [...ids];
  const events = await auditEventsOf(h.deps.database, id ?? "");
  const amounts = events.map(({ after }) => (after as { limit_usd: string }).limit_usd);
  const before = events.map(({ before: b }) => (b as { limit_usd: string } | null)?.limit_usd);
  expect(before).toEqual([undefined, ...amounts.slice(0, 3)]);
});

test("a workspace key with the admin permission reads and sets the limit of its own workspace only", async ({
  h,
  org,
}) => {
  const elsewhere = (await org.admin.createWorkspace()).id;
  const { key } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
  const listed = await h.as(key).get<Listed<Limit>>(LIMITS);
  expect(listed.body.data.map(({ workspace_id }) => workspace_id)).toEqual([workspaceId]);
  const answer = await h.as(key).post(LIMITS, { workspace_id: elsewhere, monthly_limit_usd: 1 });
  expect([answer.status, answer.error.message]).toEqual([404, `Workspace not found: ${elsewhere}`]);
});
