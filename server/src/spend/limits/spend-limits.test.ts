import type { WireScope } from "@bursar/contract/scope.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { Listed } from "#test/harness/admin.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { LIMITS, type Limit, test } from "#test/harness/spend-limits-test.ts";

/** Each kind of scope that every request has. */
let scopes: Record<"organization" | "workspace" | "api_key", WireScope>;
test.beforeEach(({ limits }) => {
  scopes = limits.scopes;
});

describe("a limit is set by scope and period", () => {
  test.for([
    ["organization", "daily", "2026-11-20", "2026-11-21"],
    ["workspace", "weekly", "2026-11-16", "2026-11-23"],
    ["api_key", "monthly", "2026-11-01", "2026-12-01"],
  ] as const)("%s, %s", async ([type, period, start, end], { org, limits }) => {
    const answer = await org.admin.send<Limit>({
      method: "POST",
      url: LIMITS,
      headers: { "content-type": "application/json" },
      payload: `{"scope": ${JSON.stringify(scopes[type])}, "period": "${period}", "limit_usd": 25.00, "enforcement": "strict"}`,
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      type: "spend_limit",
      id: expect.stringMatching(/^spl_[0-9A-Za-z]{24}$/),
      scope: scopes[type],
      scope_name: expect.any(String),
      inherited_from: null,
      member_count: null,
      period,
      limit_usd: 25,
      enforcement: "strict",
      period_starts_at: `${start}T00:00:00.000Z`,
      period_ends_at: `${end}T00:00:00.000Z`,
      spent_usd: "0.00",
      held_usd: "0.00",
      unresolved_usd: "0.00",
      overrun_usd: "0.00",
      beyond_holds_usd: "0.00",
      remaining_usd: "25.00",
      blocks_now: false,
      state: "active",
      activating_since: null,
      open_ended_hold_usd: null,
      unknown_features: "hold",
      hold: "steps",
      values: [
        {
          rank: "admin",
          limit_usd: 25,
          enforcement: "strict",
          open_ended_hold_usd: null,
          unknown_features: "hold",
          hold: "steps",
          set_by: { type: "admin_key", id: expect.any(String) },
          set_at: expect.stringMatching(/Z$/),
        },
      ],
      version: expect.any(Number),
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    expect((await limits.get(answer.body.id)).body).toEqual(answer.body);
  });

  test("each period of a scope has its own limit", async ({ limits }) => {
    for (const period of ["daily", "weekly", "monthly"])
      await limits.set(scopes.workspace, { period });
    expect(await limits.idsOf()).toHaveLength(3);
  });

  test("a second request replaces it under the same id and date, and an equal one changes nothing", async ({
    h,
    workspaceId,
    limits,
  }) => {
    const first = (await limits.set(scopes.api_key, { enforcement: "alert_only" })).body;
    const second = (await limits.set(scopes.api_key, { limit_usd: "0.000000001" })).body;
    await limits.set(scopes.api_key, { limit_usd: 0.000000001 });
    expect(first.enforcement).toBe("alert_only");
    expect(second).toMatchObject({
      id: first.id,
      created_at: first.created_at,
      limit_usd: 1e-9,
      enforcement: "strict",
      remaining_usd: "0.000000001",
    });
    expect(await limits.idsOf()).toEqual([first.id]);
    const before = {
      scope: scopes.api_key,
      period: "monthly",
      limit_usd: "25.00",
      enforcement: "alert_only",
    };
    const after = { ...before, limit_usd: "0.000000001", enforcement: "strict" };
    expect(await auditEventsOf(h.deps.database, first.id)).toMatchObject([
      { event: "spend_limit.set", workspace_id: workspaceId, before: null, after: before },
      { event: "spend_limit.set", workspace_id: workspaceId, before, after },
    ]);
  });

  test("the audit event of the organization's limit has no workspace", async ({ h, limits }) => {
    const { id } = (await limits.set(scopes.organization)).body;
    expect(await auditEventsOf(h.deps.database, id)).toMatchObject([{ workspace_id: null }]);
  });

  test("a workspace's monthly limit is the same in both families of routes", async ({
    org,
    workspaceId,
    limits,
  }) => {
    const url = "/v1/admin/workspaces/limits";
    const { body } = await org.admin.post<{ id: string }>(url, {
      workspace_id: workspaceId,
      monthly_limit_usd: 7,
    });
    expect((await limits.get(body.id)).body).toMatchObject({
      scope: scopes.workspace,
      limit_usd: 7,
    });
    const replaced = (
      await limits.set(scopes.workspace, { limit_usd: 8, enforcement: "alert_only" })
    ).body;
    await limits.set(scopes.workspace, { limit_usd: 9, period: "daily" });
    expect(replaced.id).toBe(body.id);
    const shown = await org.admin.get<Listed<object>>(`${url}?workspace_id=${workspaceId}`);
    expect(shown.body.data).toMatchObject([
      { id: body.id, monthly_limit_usd: 8, enforcement: "alert_only" },
    ]);
    await org.admin.post(url, { workspace_id: workspaceId, monthly_limit_usd: null });
    expect((await limits.get(body.id)).status).toBe(404);
  });
});

describe("the spend of the current period", () => {
  test("is shown as spent, held, unresolved and remaining amounts", async ({ org, limits }) => {
    const { id } = (await limits.set(scopes.workspace, { limit_usd: 1 })).body;
    const november = { period: "monthly", periodStart: "2026-11-01" } as const;
    const october = { period: "monthly", periodStart: "2026-10-01" } as const;
    await limits.balance("workspace", november, {
      settled: 100_000_000n,
      leased: 20_000_000n,
      unresolved: 3_000_001n,
    });
    await limits.balance("workspace", october, { settled: 999_000_000n });
    const amounts = {
      spent_usd: "0.10",
      held_usd: "0.02",
      unresolved_usd: "0.003000001",
      remaining_usd: "0.876999999",
    };
    expect((await limits.get(id)).body).toMatchObject(amounts);
    expect((await limits.set(scopes.workspace, { limit_usd: 1 })).body).toMatchObject(amounts);
    const listed = await org.admin.get<Listed<Limit>>(LIMITS);
    expect(listed.body.data).toMatchObject([amounts]);
    const lowered = await limits.set(scopes.workspace, { limit_usd: 0.12 });
    expect(lowered.body).toMatchObject({ ...amounts, remaining_usd: "0.00" });
  });

  test("is shown for each limit of a list", async ({ org, limits }) => {
    await limits.balance(
      "organization",
      { period: "daily", periodStart: "2026-11-20" },
      { settled: 1n },
    );
    await limits.balance(
      "workspace",
      { period: "weekly", periodStart: "2026-11-16" },
      { settled: 2n },
    );
    await limits.balance(
      "api_key",
      { period: "monthly", periodStart: "2026-11-01" },
      { settled: 3n },
    );
    await limits.set(scopes.organization, { period: "daily" });
    await limits.set(scopes.workspace, { period: "weekly" });
    await limits.set(scopes.api_key, { period: "monthly" });
    await limits.set(scopes.api_key, { period: "daily" });
    const { body } = await org.admin.get<Listed<Limit>>(LIMITS);
    const spent = body.data.map(({ scope, period, spent_usd }) => [scope.type, period, spent_usd]);
    expect(new Set(spent)).toEqual(
      new Set([
        ["organization", "daily", "0.000000001"],
        ["workspace", "weekly", "0.000000002"],
        ["api_key", "monthly", "0.000000003"],
        ["api_key", "daily", "0.00"],
      ]),
    );
  });
});

describe("the list", () => {
  test("is sorted newest first, and a cursor is bound to its filters", async ({ org, limits }) => {
    const { ids } = await limits.makeFive();
    const newestFirst = Object.values(ids).reverse();
    expect(await limits.idsOf()).toEqual(newestFirst);
    const walked: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: Listed<Limit> = (
        await org.admin.get<Listed<Limit>>(`${LIMITS}?limit=2&page=${next}`)
      ).body;
      walked.push(...page.data.map(({ id }) => id));
      next = page.next_page;
    }
    expect(walked).toEqual(newestFirst);
    const { body } = await org.admin.get<Listed<Limit>>(`${LIMITS}?limit=1`);
    const other = await org.admin.get(`${LIMITS}?period=daily&page=${body.next_page}`);
    expect(other.status).toBe(400);
    expect(other.error.message).toContain("cursor does not match");
  });

  test("returns limits of the same millisecond once each", async ({ h, org, limits }) => {
    const { ids } = await limits.makeFive();
    for (const [index, id] of Object.values(ids).entries()) {
      const createdAt = `2026-11-20T12:00:00.00012${index}Z`;
      await sql`UPDATE spend_limit SET created_at = ${createdAt} WHERE id = ${id}`.execute(
        h.deps.database,
      );
    }
    const walked: string[] = [];
    let next: string | null = "";
    while (next !== null && walked.length <= 5) {
      const page: Listed<Limit> = (
        await org.admin.get<Listed<Limit>>(`${LIMITS}?limit=1&page=${next}`)
      ).body;
      walked.push(...page.data.map(({ id }) => id));
      next = page.next_page;
    }
    expect(walked.toSorted()).toEqual(Object.values(ids).toSorted());
  });

  test("can be filtered by scope type, workspace with its keys, key and period", async ({
    workspaceId,
    apiKeyId,
    limits,
  }) => {
    const { ids, elsewhere } = await limits.makeFive();
    expect(await limits.idsOf("?scope_type=organization")).toEqual([ids.organization]);
    expect(await limits.idsOf("?scope_type=api_key")).toEqual([ids.key]);
    expect(await limits.idsOf(`?workspace_id=${workspaceId}`)).toEqual([
      ids.key,
      ids.workspaceDaily,
      ids.workspace,
    ]);
    expect(await limits.idsOf(`?workspace_id=${elsewhere}`)).toEqual([ids.elsewhere]);
    expect(await limits.idsOf(`?api_key_id=${apiKeyId}`)).toEqual([ids.key]);
    expect(await limits.idsOf("?period=daily")).toEqual([ids.key, ids.workspaceDaily]);
    expect(await limits.idsOf("?period=weekly")).toEqual([]);
    expect(
      await limits.idsOf(`?workspace_id=${workspaceId}&scope_type=workspace&period=daily`),
    ).toEqual([ids.workspaceDaily]);
    expect(await limits.idsOf(`?workspace_id=${elsewhere}&api_key_id=${apiKeyId}`)).toEqual([]);
  });

  test("is a 404 for an unknown or foreign workspace or key", async ({ h, org }) => {
    const other = await h.organization();
    const theirs = (await other.admin.createWorkspace()).id;
    const theirKey = (await other.admin.createApiKey(theirs)).id;
    for (const id of ["wksp_unknown", theirs]) {
      const answer = await org.admin.get(`${LIMITS}?workspace_id=${id}`);
      expect([answer.status, answer.error.message]).toEqual([404, `Workspace not found: ${id}`]);
    }
    for (const id of ["apikey_unknown", theirKey]) {
      const answer = await org.admin.get(`${LIMITS}?api_key_id=${id}`);
      expect([answer.status, answer.error.message]).toEqual([404, "API key not found"]);
    }
    expect((await org.admin.get(`${LIMITS}?scope_type=team`)).status).toBe(400);
    expect((await org.admin.get(`${LIMITS}?period=yearly`)).status).toBe(400);
  });

  test("has no limits of another organization", async ({ h, limits }) => {
    const { id } = (await limits.set(scopes.organization)).body;
    const other = await h.organization();
    expect(await limits.idsOf("", other.admin)).toEqual([]);
    expect((await limits.remove(id, other.admin)).status).toBe(404);
    expect(await limits.idsOf()).toEqual([id]);
  });
});

test("a limit is deleted once, and its audit event has the deleted values", async ({
  h,
  workspaceId,
  limits,
}) => {
  const { id } = (await limits.set(scopes.api_key, { period: "weekly" })).body;
  expect((await limits.remove(id)).body).toEqual({
    id,
    type: "spend_limit_deleted",
    values: [],
  });
  expect(await limits.idsOf()).toEqual([]);
  for (const answer of [await limits.get(id), await limits.remove(id)]) {
    expect([answer.status, answer.error.message]).toEqual([404, "Spend limit not found"]);
  }
  const events = await auditEventsOf(h.deps.database, id);
  expect(events[1]).toMatchObject({
    event: "spend_limit.deleted",
    workspace_id: workspaceId,
    before: { scope: scopes.api_key, period: "weekly", limit_usd: "25.00", enforcement: "strict" },
    after: null,
  });
  expect((await limits.set(scopes.api_key, { period: "weekly" })).body.id).not.toBe(id);
});

describe("an invalid limit is a 400 that names the field", () => {
  test.for([
    [{ enforcement: "hard" }, 'enforcement: expected one of "strict", "soft", "alert_only"'],
    [{ enforcement: null }, "enforcement: "],
    [{ period: "yearly" }, 'period: expected one of "daily", "weekly", "monthly"'],
    [{ limit_usd: null }, "limit_usd: "],
    [{ limit_usd: -1 }, "limit_usd: "],
    [{ limit_usd: "123456789.1234567" }, "limit_usd: "],
    [{ limit_usd: undefined }, "limit_usd: this field is required"],
    [{ scope: undefined }, "scope: this field is required"],
    [{ scope: "organization" }, "scope: expected object"],
    [{ scope: {} }, "scope.type: expected one of organization, workspace, api_key"],
    [{ scope: { type: "team" } }, "scope.type: expected one of organization, workspace, api_key"],
    [{ scope: { type: "workspace" } }, "scope.workspace_id: this field is required"],
    [
      { scope: { type: "organization", workspace_id: "wksp_1" } },
      "scope.workspace_id: there is no such field",
    ],
  ] as const)("refuses %j", async ([fields, message], { limits }) => {
    const answer = await limits.set(scopes.organization, fields);
    expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
    expect(answer.error.message).toContain(message);
    expect(await limits.idsOf()).toEqual([]);
  });
});
