import type {
  blockingLimit,
  periodSpend,
  spendLimit,
} from "@bursar/contract/admin/spend-limits.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { OwnScopeType } from "#src/db/tables.ts";
import { LEAST_REST_NANO_USD } from "#src/domain/blocking-limit.ts";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";

type Blocking = z.output<typeof blockingLimit>;
type Spend = z.output<typeof periodSpend>;

const DAY_MS = 86_400_000;
const PATH = "/v1/admin/spend_limits";

const test = base
  .extend("org", ({ h }) => h.organization("Northwind"))
  .extend("company", ({ h, org }) => {
    async function setLimit(
      type: OwnScopeType,
      limitUsd: number,
      fields: object = {},
    ): Promise<string> {
      const { body } = await org.admin.post<z.output<typeof spendLimit>>(PATH, {
        scope: scopeOf(type),
        period: "monthly",
        limit_usd: limitUsd,
        ...fields,
      });
      return body.id;
    }

    async function spend(
      scopeType: OwnScopeType,
      nanoUsd: bigint,
      fields: object = {},
    ): Promise<void> {
      const scopeId = { organization: org.id, workspace: workspaceId, api_key: apiKeyId }[
        scopeType
      ];
      const month = { period: "monthly", periodStart: "2026-11-01" } as const;
      const charge = { organizationId: org.id, scopeType, scopeId, nanoUsd, ...month, ...fields };
      await h.deps.database.transaction().execute((tx) => addToBalances(tx, [charge]));
    }

    async function listBlocking(client: Client = org.admin): Promise<Blocking[]> {
      return (await client.get<Listed<Blocking>>(`${PATH}/blocking`)).body.data;
    }

    const read = (query: string, client: Client = org.admin) =>
      client.get<Spend>(`${PATH}/period_spend?${query}`);

    return { setLimit, spend, listBlocking, read };
  });

let workspaceId: string;
let apiKeyId: string;
let startMs: number;

test.beforeAll(async ({ h }) => {
  startMs = h.clock.nowMs;
});
test.beforeEach(async ({ h, org }) => {
  h.clock.nowMs = startMs;
  workspaceId = (await org.admin.createWorkspace({ name: "Engineering" })).id;
  apiKeyId = (await org.admin.createApiKey(workspaceId, { name: "CI" })).id;
});

const scopeOf = (type: OwnScopeType) =>
  ({
    organization: { type },
    workspace: { type, workspace_id: workspaceId },
    api_key: { type, api_key_id: apiKeyId },
  })[type];

const dollars = (usd: number) => BigInt(usd) * 1_000_000_000n;

describe("limits that block requests now", () => {
  test("are those whose spend has reached the amount, with the scope's name and its keys", async ({
    org,
    company,
  }) => {
    await org.admin.createApiKey(workspaceId);
    const elsewhere = await org.admin.createWorkspace();
    await org.admin.createApiKey(elsewhere.id);
    const organization = await company.setLimit("organization", 10);
    const workspace = await company.setLimit("workspace", 5, { enforcement: "soft" });
    const key = await company.setLimit("api_key", 2);
    await company.spend("organization", dollars(10));
    await company.spend("workspace", dollars(7));
    await company.spend("api_key", dollars(2) - LEAST_REST_NANO_USD);
    expect(await company.listBlocking()).toMatchObject([
      {
        type: "blocking_limit",
        scope_name: "Engineering",
        workspace_id: workspaceId,
        blocked_keys: 2,
        spend_limit: { id: workspace, blocks_now: true, spent_usd: "7.00" },
      },
      {
        scope_name: "Northwind",
        workspace_id: null,
        blocked_keys: 3,
        spend_limit: { id: organization, blocks_now: true },
      },
    ]);
    await company.spend("api_key", 1n);
    expect((await company.listBlocking())[0]).toMatchObject({
      scope_name: "CI",
      workspace_id: workspaceId,
      blocked_keys: 1,
      spend_limit: { id: key },
    });
  });

  test("omit an alert-only limit, another period's spend, an archived workspace and a revoked key", async ({
    org,
    company,
  }) => {
    await company.setLimit("workspace", 5, { enforcement: "alert_only" });
    await company.setLimit("workspace", 5, { period: "daily" });
    await company.spend("workspace", dollars(9));
    await company.spend("workspace", dollars(9), { period: "daily", periodStart: "2026-11-19" });
    expect(await company.listBlocking()).toEqual([]);
    await company.setLimit("workspace", 5);
    await company.setLimit("api_key", 1);
    await company.spend("api_key", dollars(1));
    expect(await company.listBlocking()).toHaveLength(2);
    await org.admin.post(`/v1/admin/api_keys/${apiKeyId}`, { status: "archived" });
    expect(await company.listBlocking()).toMatchObject([
      { scope_name: "Engineering", blocked_keys: 0 },
    ]);
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect(await company.listBlocking()).toEqual([]);
  });

  test("include a strict limit with less than the least rest, and no soft one", async ({
    company,
  }) => {
    await company.setLimit("workspace", 5, { enforcement: "soft" });
    await company.setLimit("api_key", 2);
    await company.spend("workspace", dollars(5) - 1n);
    await company.spend("api_key", dollars(2) - 40_000n);
    expect(await company.listBlocking()).toMatchObject([
      { scope_name: "CI", spend_limit: { blocks_now: true, remaining_usd: "0.00004" } },
    ]);
  });

  test("include a strict limit whose rest is unresolved, until it is released", async ({
    h,
    org,
    company,
  }) => {
    await company.setLimit("workspace", 5, { enforcement: "soft" });
    await company.setLimit("api_key", 2);
    await company.spend("workspace", dollars(1));
    await company.spend("api_key", dollars(1));
    const { database } = h.deps;
    const setUnresolved = (nanoUsd: bigint) =>
      database
        .updateTable("balance")
        .set({ unresolved_nano_usd: nanoUsd })
        .where("organization_id", "=", org.id)
        .execute();
    await setUnresolved(dollars(1));
    expect(await company.listBlocking()).toMatchObject([
      { scope_name: "CI", spend_limit: { blocks_now: true, unresolved_usd: "1.00" } },
    ]);
    await setUnresolved(0n);
    expect(await company.listBlocking()).toEqual([]);
  });

  test("end with their period", async ({ h, company }) => {
    await company.setLimit("workspace", 5);
    await company.spend("workspace", dollars(5));
    expect(await company.listBlocking()).toHaveLength(1);
    h.clock.nowMs = Date.UTC(2026, 11, 1);
    expect(await company.listBlocking()).toEqual([]);
  });

  test("are listed in pages, newest first", async ({ org, company }) => {
    const ids = [await company.setLimit("organization", 0), await company.setLimit("workspace", 0)];
    ids.push(await company.setLimit("api_key", 0));
    const first = await org.admin.get<Listed<Blocking>>(`${PATH}/blocking?limit=2`);
    const page = `${PATH}/blocking?limit=2&page=${first.body.next_page}`;
    const second = await org.admin.get<Listed<Blocking>>(page);
    const listed = [...first.body.data, ...second.body.data];
    expect(listed.map(({ spend_limit }) => spend_limit.id)).toEqual(ids.toReversed());
    expect(second.body.next_page).toBeNull();
  });

  test("are those of the caller's workspaces for a member without a role in the organization", async ({
    org,
    company,
  }) => {
    const hidden = await org.admin.createWorkspace();
    await org.admin.post(PATH, {
      scope: { type: "workspace", workspace_id: hidden.id },
      period: "monthly",
      limit_usd: 0,
    });
    await company.setLimit("organization", 0);
    await company.setLimit("workspace", 0);
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const { client } = await org.member({ role: "developer", workspaces });
    expect(await company.listBlocking(client)).toMatchObject([{ workspace_id: workspaceId }]);
  });
});

describe("the spend of the current period", () => {
  test("is that of the scope, whether it has a limit or not", async ({ company }) => {
    await company.spend("organization", dollars(12));
    await company.spend("workspace", dollars(7));
    await company.spend("workspace", dollars(1), { period: "daily", periodStart: "2026-11-20" });
    expect((await company.read("")).body).toEqual({
      type: "period_spend",
      scope: { type: "organization" },
      period: "monthly",
      period_starts_at: "2026-11-01T00:00:00.000Z",
      period_ends_at: "2026-12-01T00:00:00.000Z",
      spent_usd: "12.00",
      working_keys: 1,
    });
    const workspace = `workspace_id=${workspaceId}`;
    expect((await company.read(workspace)).body).toMatchObject({
      spent_usd: "7.00",
      working_keys: 1,
    });
    expect((await company.read(`${workspace}&period=daily`)).body).toMatchObject({
      spent_usd: "1.00",
      period_ends_at: "2026-11-21T00:00:00.000Z",
    });
    expect((await company.read(`api_key_id=${apiKeyId}`)).body).toMatchObject({
      scope: { type: "api_key", api_key_id: apiKeyId },
      spent_usd: "0.00",
      working_keys: 1,
    });
  });

  test("counts only keys that can send messages", async ({ h, org, company }) => {
    const make = (fields: object = {}) => org.admin.createApiKey(workspaceId, fields);
    await make({ permissions: ["admin"] });
    await make({ permissions: ["read"] });
    await make({ expires_at: new Date(startMs + DAY_MS).toISOString() });
    const disabled = await make();
    await org.admin.post(`/v1/admin/api_keys/${disabled.id}`, { status: "inactive" });
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const person = await org.member({ role: "developer", workspaces });
    await person.client.createApiKey(workspaceId, { owner_member_id: person.id });
    await person.client.post("/v1/admin/playground/sessions", { workspace_id: workspaceId });
    const count = async () => (await company.read(`workspace_id=${workspaceId}`)).body.working_keys;
    expect(await count()).toBe(4);
    await org.operator.post(`/v1/admin/members/${person.id}/deactivate`);
    expect(await count()).toBe(3);
    h.clock.nowMs += DAY_MS;
    expect(await count()).toBe(2);
  });

  test("of the organization is refused without a role in it, and two scopes at once are refused", async ({
    org,
  }) => {
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const { client } = await org.member({ role: "developer", workspaces });
    const url = `${PATH}/period_spend`;
    expect((await client.send({ method: "GET", url })).status).toBe(403);
    const both = `${url}?workspace_id=${workspaceId}&api_key_id=${apiKeyId}`;
    const refused = await org.admin.send({ method: "GET", url: both });
    expect([refused.status, refused.error.message]).toEqual([
      400,
      "workspace_id, api_key_id: send only one of them.",
    ]);
  });
});
