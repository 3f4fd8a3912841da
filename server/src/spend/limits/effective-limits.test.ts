import type { effectiveSpendLimits, spendLimit } from "@bursar/contract/admin/spend-limits.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { OwnScopeType } from "#src/db/tables.ts";
import type { Client } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";

type Effective = z.output<typeof effectiveSpendLimits>;
type Limit = z.output<typeof spendLimit>;

const test = base
  .extend("explain", ({ org, apiKeyId }) => async (client: Client = org.admin) => {
    const { body } = await client.get<Effective>(
      `/v1/admin/spend_limits/effective?api_key_id=${apiKeyId}`,
    );
    return body;
  })
  .extend(
    "set",
    ({ org, workspaceId, apiKeyId }) =>
      async (type: OwnScopeType, limitUsd: number, fields: object = {}): Promise<string> => {
        const scopes = {
          organization: { type },
          workspace: { type, workspace_id: workspaceId },
          api_key: { type, api_key_id: apiKeyId },
        };
        const { body } = await org.admin.post<Limit>("/v1/admin/spend_limits", {
          scope: scopes[type],
          period: "monthly",
          limit_usd: limitUsd,
          ...fields,
        });
        return body.id;
      },
  )
  .extend(
    "use",
    ({ h, org, workspaceId, apiKeyId }) =>
      async (
        type: OwnScopeType,
        usd: { settled?: bigint; leased?: bigint; unresolved?: bigint },
      ) => {
        const ids = { organization: org.id, workspace: workspaceId, api_key: apiKeyId };
        await h.deps.database
          .insertInto("balance")
          .values({
            scope_type: type,
            scope_id: ids[type],
            period: "monthly",
            period_start: "2026-11-01",
            organization_id: org.id,
            settled_nano_usd: (usd.settled ?? 0n) * 1_000_000_000n,
            leased_nano_usd: (usd.leased ?? 0n) * 1_000_000_000n,
            unresolved_nano_usd: (usd.unresolved ?? 0n) * 1_000_000_000n,
          })
          .execute();
      },
  );

const BOUND = {
  ...{ is_blocked: false, binds_first: null },
  ...{ max_request_usd: null, max_stream_usd: null, max_first_hold_usd: null },
};

test("a key without limits has no maximum cost", async ({ workspaceId, apiKeyId, explain }) => {
  expect(await explain()).toEqual({
    type: "effective_spend_limits",
    api_key_id: apiKeyId,
    workspace_id: workspaceId,
    member_id: null,
    limits: [],
    ...BOUND,
  });
});

test("limits are listed narrowest first, and the strict limit with the smallest remainder binds first", async ({
  explain,
  set,
  use,
}) => {
  const organization = await set("organization", 100);
  const workspace = await set("workspace", 50);
  const daily = await set("api_key", 20, { period: "daily" });
  const monthly = await set("api_key", 30);
  await set("api_key", 1, { period: "weekly", enforcement: "alert_only" });
  await use("organization", { settled: 60n, leased: 20n, unresolved: 5n });
  await use("workspace", { settled: 10n });
  const effective = await explain();
  expect(effective.limits.map(({ id }) => id)).toEqual([
    daily,
    expect.stringMatching(/^spl_/),
    monthly,
    workspace,
    organization,
  ]);
  expect(effective).toMatchObject({
    is_blocked: false,
    max_request_usd: "15.00",
    binds_first: {
      spend_limit_id: organization,
      scope_type: "organization",
      period: "monthly",
      period_ends_at: "2026-12-01T00:00:00.000Z",
    },
  });
});

test("a soft limit does not bound a request until it is reached, and then blocks all", async ({
  explain,
  set,
  use,
}) => {
  const soft = await set("workspace", 50, { enforcement: "soft" });
  await use("workspace", { settled: 49n, leased: 9n });
  expect(await explain()).toMatchObject({
    is_blocked: false,
    max_request_usd: null,
    binds_first: { spend_limit_id: soft },
  });
  await set("workspace", 49, { enforcement: "soft" });
  expect(await explain()).toMatchObject({ is_blocked: true, max_request_usd: "0.00" });
});

test("limits that hold in steps bound the first hold of a stream, and others its whole cost", async ({
  explain,
  set,
  use,
}) => {
  await set("api_key", 30, { hold: "steps" });
  await use("api_key", { settled: 10n, leased: 5n });
  expect(await explain()).toMatchObject({
    ...{ max_request_usd: "15.00", max_stream_usd: null, max_first_hold_usd: "15.00" },
  });
  await set("workspace", 20, { hold: "whole" });
  expect(await explain()).toMatchObject({
    ...{ max_request_usd: "15.00", max_stream_usd: "20.00", max_first_hold_usd: "15.00" },
  });
  await set("organization", 1, { enforcement: "soft", hold: "steps" });
  await use("organization", { settled: 1n });
  expect(await explain()).toMatchObject({
    ...{ is_blocked: true, max_request_usd: "0.00", max_stream_usd: "0.00" },
  });
});

test("a strict limit with less than the least rest blocks the key", async ({
  explain,
  set,
  use,
}) => {
  const limit = await set("workspace", 50);
  await use("workspace", { settled: 49n, unresolved: 1n });
  expect(await explain()).toMatchObject({
    ...{ is_blocked: true, max_request_usd: "0.00", binds_first: { spend_limit_id: limit } },
  });
});

test("limits that the caller cannot see apply, but are not listed", async ({
  h,
  org,
  workspaceId,
  explain,
  set,
}) => {
  await set("organization", 3);
  await set("workspace", 50);
  const { key } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
  const effective = await explain(h.as(key));
  expect(effective.limits.map(({ scope }) => scope.type)).toEqual(["workspace"]);
  expect(effective).toMatchObject({
    max_request_usd: "3.00",
    binds_first: { spend_limit_id: null, scope_type: "organization" },
  });
});

test("a person has the limits of their own, of their keys, groups and workspaces, with sources", async ({
  org,
  workspaceId,
  set,
}) => {
  const { id: member_id, client } = await org.member({
    workspaces: { [workspaceId]: "workspace_developer" },
  });
  const make = async (path: string, body: object) => {
    const answer = await org.admin.post<{ id: string }>(path, body);
    expect(answer.error.message).toBe("");
    return answer.body.id;
  };
  const group = await make("/v1/admin/groups", { name: "Research" });
  await make(`/v1/admin/groups/${group}/members`, { member_id });
  await org.admin.createApiKey(workspaceId, { owner_member_id: member_id });
  const limit = (scope: object, limit_usd: number, period = "monthly") =>
    make("/v1/admin/spend_limits", { scope, limit_usd, period });
  await limit({ type: "group_member", group_id: group }, 20);
  const ofGroup = await limit({ type: "group", group_id: group }, 100);
  const own = await limit({ type: "member", member_id }, 3, "daily");
  const workspace = await set("workspace", 1);
  const organization = await set("organization", 500);
  const path = `/v1/admin/spend_limits/effective?member_id=${member_id}`;
  const { body } = await org.admin.get<Effective>(path);
  const fromGroup = { type: "group", group_id: group, group_name: "Research" };
  expect(body.limits.map(({ id, inherited_from }) => [id, inherited_from])).toEqual([
    [own, null],
    [expect.stringMatching(/^spl_/), fromGroup],
    [ofGroup, null],
    [workspace, null],
    [organization, null],
  ]);
  // The limit of one workspace does not bound requests in others.
  expect(body).toMatchObject({
    ...{ api_key_id: null, workspace_id: null, member_id },
    ...{ is_blocked: false, max_request_usd: "3.00" },
    binds_first: { spend_limit_id: own, scope_type: "member" },
  });
  const mine = await client.get<{ data: Limit[] }>("/v1/admin/my_usage/limits");
  expect(mine.body.data.map(({ inherited_from }) => inherited_from)).toContainEqual(fromGroup);
  expect((await client.get(path)).status).toBe(403);
  expect((await org.admin.get(`${path}&api_key_id=apikey_1`)).status).toBe(400);
  expect((await org.admin.get(path.replace(member_id, "user_missing"))).status).toBe(404);
});
