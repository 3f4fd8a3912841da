import type { effectiveRateLimits, rateLimit } from "@bursar/contract/admin/rate-limits.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { listUnexplained } from "#src/audit/unexplained.ts";
import { listLiveRateLimits } from "#src/rates/buckets/limits.sql.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

// Rates of groups, their default rates for members, and the rates of members that follow from these.

const LIMITS = "/v1/admin/rate_limits";
const GROUPS = "/v1/admin/groups";
type Limit = z.output<typeof rateLimit>;

const test = base
  .extend("org", ({ h }) => h.organization())
  .extend("company", async ({ org }) => {
    const ada = (await org.member({ name: "Ada" })).id;
    const owner = (await org.member({ role: "owner" })).client;
    const makeGroup = async (name: string) =>
      (await org.admin.post<{ id: string }>(GROUPS, { name })).body.id;
    const [research, support] = [await makeGroup("Research"), await makeGroup("Support")];
    const set = (scope: object, fields: object, client: Client = org.admin) =>
      client.post<Limit>(LIMITS, { scope, ...fields });
    return {
      ...{ ada, owner, research, support, set },
      join: (group: string) => org.admin.post(`${GROUPS}/${group}/members`, { member_id: ada }),
      leave: (group: string) => org.admin.remove(`${GROUPS}/${group}/members/${ada}`),
      setDefault: (group: string, requests_per_minute: number, client?: Client) =>
        set({ type: "group_member", group_id: group }, { requests_per_minute }, client),
      /** Limits in force of Ada. */
      listOwn: async () =>
        (await org.admin.get<Listed<Limit>>(`${LIMITS}?scope_type=member&member_id=${ada}`)).body
          .data,
    };
  })
  /** Requests per minute in force of Ada. */
  .extend("readRate", ({ company }) => async () => {
    const [limit] = await company.listOwn();
    return limit?.requests_per_minute ?? null;
  });

test("a default is the rate of each member, from joining to leaving", async ({
  company,
  readRate,
}) => {
  const { research, join, leave, setDefault } = company;
  expect((await setDefault(research, 60)).status).toBe(200);
  expect(await readRate()).toBe(null);
  await join(research);
  expect(await readRate()).toBe(60);
  await setDefault(research, 90);
  expect(await readRate()).toBe(90);
  await leave(research);
  expect(await readRate()).toBe(null);
});

test("of several groups the highest default of each kind applies", async ({ company }) => {
  const { research, support, join, set, setDefault, listOwn } = company;
  await setDefault(research, 60);
  const scope = { type: "group_member", group_id: support };
  await set(scope, { requests_per_minute: 30, output_tokens_per_minute: 9_000 });
  await join(research);
  await join(support);
  expect(await listOwn()).toMatchObject([
    {
      scope_name: "Ada",
      requests_per_minute: 60,
      input_tokens_per_minute: null,
      output_tokens_per_minute: 9_000,
      values: [],
    },
  ]);
});

test("the mode of the company chooses the highest or the lowest default", async ({
  org,
  company,
  readRate,
}) => {
  const { research, support, join, setDefault } = company;
  await setDefault(research, 60);
  await setDefault(support, 30);
  await join(research);
  await join(support);
  const setMode = (mode: string) => org.admin.post("/v1/admin/group_limit_mode", { mode });
  expect((await setMode("lowest")).status).toBe(200);
  expect(await readRate()).toBe(30);
  await setMode("highest");
  expect(await readRate()).toBe(60);
});

test("a person's own value wins, and the default returns without it", async ({
  org,
  company,
  readRate,
}) => {
  const { ada, research, join, set, setDefault } = company;
  await setDefault(research, 60);
  await join(research);
  const own = await set({ type: "member", member_id: ada }, { requests_per_minute: 600 });
  expect(await readRate()).toBe(600);
  await org.admin.remove(`${LIMITS}/${own.body.id}`);
  expect(await readRate()).toBe(60);
});

test("a lower rank raises and removes no default of a higher one", async ({
  company,
  readRate,
  org,
}) => {
  const { ada, owner, research, support, join, leave, set, setDefault } = company;
  await setDefault(research, 10, owner);
  await setDefault(support, 90);
  await join(research);
  await join(support);
  await set({ type: "member", member_id: ada }, { requests_per_minute: 600 });
  expect(await readRate()).toBe(10);
  const refused = { status: 403, body: { error: { details: { error_code: "limit_set_above" } } } };
  expect(await leave(research)).toMatchObject(refused);
  expect(await org.admin.remove(`${GROUPS}/${research}`)).toMatchObject(refused);
  expect((await owner.remove(`${GROUPS}/${research}/members/${ada}`)).status).toBe(200);
  expect(await readRate()).toBe(600);
});

test("a rate that follows from a group alone is not removed, and the refusal names the group", async ({
  org,
  company,
}) => {
  const { research, join, setDefault, listOwn } = company;
  await setDefault(research, 60);
  await join(research);
  const [limit] = await listOwn();
  expect(await org.admin.remove(`${LIMITS}/${limit?.id}`)).toMatchObject({
    status: 400,
    body: {
      error: {
        details: {
          error_code: "limit_is_inherited",
          inherited_from: { group_id: research, group_name: "Research" },
        },
      },
    },
  });
});

test("a deleted group takes its rates and the rates of its members with it", async ({
  h,
  org,
  company,
}) => {
  const { research, join, set, setDefault, listOwn } = company;
  await setDefault(research, 60);
  await set({ type: "group", group_id: research }, { requests_per_minute: 600 });
  await join(research);
  expect((await org.admin.remove(`${GROUPS}/${research}`)).status).toBe(200);
  expect(await listOwn()).toEqual([]);
  const live = await listLiveRateLimits(h.deps.database);
  expect(live.filter(({ organizationId }) => organizationId === org.id)).toEqual([]);
  const events = await auditEventsOf(h.deps.database, research);
  expect(events.at(-1)?.before).toMatchObject({
    changed_member_rates: {
      count: 1,
      first: [{ model_group: "all", before: { requests_per_minute: 60 }, after: null }],
    },
  });
});

test("nodes count the rates of members and groups, and no default itself", async ({
  h,
  org,
  company,
}) => {
  const { ada, research, join, set, setDefault } = company;
  await set({ type: "group", group_id: research }, { requests_per_minute: 600 });
  await setDefault(research, 60);
  await join(research);
  const live = await listLiveRateLimits(h.deps.database);
  const own = live.filter(({ organizationId }) => organizationId === org.id);
  expect(own.map(({ scopeType, scopeId }) => [scopeType, scopeId]).toSorted()).toEqual([
    ["group", research],
    ["member", ada],
  ]);
});

test("the limits of a personal key are those of its owner and the owner's groups too", async ({
  h,
  org,
  company,
}) => {
  const { ada, research, join, set, setDefault } = company;
  await set({ type: "group", group_id: research }, { requests_per_minute: 600 });
  await setDefault(research, 60);
  await join(research);
  const workspace = (await org.admin.createWorkspace()).id;
  const role = { workspace_role: "workspace_developer" };
  await org.admin.post(`${GROUPS}/${research}/workspaces/${workspace}`, role);
  const key = await org.admin.createApiKey(workspace, { owner_member_id: ada });
  const path = `${LIMITS}/effective?api_key_id=${key.id}`;
  const read = async (client: Client) =>
    (await client.get<z.output<typeof effectiveRateLimits>>(path)).body.limits;
  expect((await read(org.admin)).map(({ scope }) => scope.type)).toEqual(["member", "group"]);
  const workspaceKey = await org.admin.createApiKey(workspace, { permissions: ["admin"] });
  expect(await read(h.as(workspaceKey.key))).toEqual([]);
});

test("the limits of a member name the group of each number", async ({ h, org, company }) => {
  const { ada, research, support, join, set, setDefault } = company;
  await setDefault(research, 60);
  const ofSupport = { type: "group_member", group_id: support };
  await set(ofSupport, { requests_per_minute: 30, output_tokens_per_minute: 9_000 });
  await set({ type: "group", group_id: support }, { requests_per_minute: 600 });
  await join(research);
  await join(support);
  const workspace = (await org.admin.createWorkspace()).id;
  await set({ type: "workspace", workspace_id: workspace }, { requests_per_minute: 5 });
  const role = { workspace_role: "workspace_developer" };
  await org.admin.post(`${GROUPS}/${research}/workspaces/${workspace}`, role);
  await org.admin.createApiKey(workspace, { owner_member_id: ada });
  type Effective = z.output<typeof effectiveRateLimits>;
  const read = async (client: Client = org.admin) =>
    await client.get<Effective>(`${LIMITS}/effective?member_id=${ada}`);
  const { body } = await read();
  expect(body).toMatchObject({ api_key_id: null, workspace_id: null, member_id: ada });
  expect(body.limits.map(({ scope, inherited }) => [scope.type, inherited])).toEqual([
    [
      "member",
      [
        { kind: "requests", per_minute: 60, group_id: research, group_name: "Research" },
        { kind: "output_tokens", per_minute: 9_000, group_id: support, group_name: "Support" },
      ],
    ],
    ["group", []],
    ["workspace", []],
  ]);
  // Not every request of the member counts for the workspace.
  expect(body.tightest.requests).toMatchObject({ per_minute: 60 });
  await set({ type: "member", member_id: ada }, { requests_per_minute: 60 });
  expect((await read()).body.limits[0]).toMatchObject({
    ...{ requests_per_minute: 60, output_tokens_per_minute: null, inherited: [] },
  });
  expect((await org.admin.get(`${LIMITS}/effective?member_id=user_unknown`)).status).toBe(404);
  expect((await org.admin.get(`${LIMITS}/effective`)).status).toBe(400);
  const workspaceKey = await org.admin.createApiKey(workspace, { permissions: ["admin"] });
  expect((await read(h.as(workspaceKey.key))).status).toBe(403);
});

test("the log explains limits that follow from a group, and names one that was written without it", async ({
  h,
  org,
  company,
}) => {
  const { research, join, set, setDefault } = company;
  await setDefault(research, 60);
  await org.admin.post("/v1/admin/spend_limits", {
    scope: { type: "group_member", group_id: research },
    period: "monthly",
    limit_usd: 10,
  });
  await join(research);
  await set({ type: "group", group_id: research }, { requests_per_minute: 600 });
  const listLimits = async () =>
    (await listUnexplained(h.deps, org.id)).filter(({ type }) => type.endsWith("_limit"));
  expect(await listLimits()).toEqual([]);
  const { database } = h.deps;
  for (const table of ["rate_limit", "spend_limit"] as const) {
    const changed =
      table === "rate_limit" ? { requests_per_minute: 9_000 } : { amount_nano_usd: 1n };
    await database
      .updateTable(table)
      .set(changed)
      .where("organization_id", "=", org.id)
      .where("scope_type", "=", "member")
      .execute();
  }
  expect(await listLimits()).toMatchObject([
    { type: "rate_limit", reason: "unlogged" },
    { type: "spend_limit", reason: "unlogged" },
  ]);
});
