import type { limitForecast } from "@bursar/contract/admin/limit-forecasts.ts";
import type {
  badges,
  organizationCounts,
  upstreamHealth,
} from "@bursar/contract/admin/overview.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { OwnScopeType } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost } from "#src/domain/usage.ts";
import { newId } from "#src/lib/ids.ts";
import type { Client } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { makeRefusal, recordRefusals } from "#test/harness/refusals.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

type Badges = z.output<typeof badges>;
type Counts = z.output<typeof organizationCounts>;
type Health = z.output<typeof upstreamHealth>;
type Forecast = z.output<typeof limitForecast>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NANO = 1_000_000_000n;
const LIMITS = "/v1/admin/spend_limits";
/** A Tuesday. */
const NOW_MS = Date.UTC(2026, 10, 24, 14);

const test = base.extend("company", ({ h, org, workspaceId, apiKeyId }) => {
  const scopes = {
    organization: { wire: { type: "organization" }, id: org.id },
    workspace: { wire: { type: "workspace", workspace_id: workspaceId }, id: workspaceId },
    api_key: { wire: { type: "api_key", api_key_id: apiKeyId }, id: apiKeyId },
  };

  const setLimit = (type: OwnScopeType, limit_usd: number, fields: object = {}) =>
    org.admin.post(LIMITS, { scope: scopes[type].wire, period: "monthly", limit_usd, ...fields });

  /** Sets the settled spend of a scope in November. */
  const settle = (scopeType: OwnScopeType, usd: bigint) =>
    sql`INSERT INTO balance (organization_id, scope_type, scope_id, period, period_start, settled_nano_usd)
      VALUES (${org.id}, ${scopeType}, ${scopes[scopeType].id}, 'monthly', '2026-11-01', ${usd * NANO})
      ON CONFLICT (scope_type, scope_id, period, period_start)
      DO UPDATE SET settled_nano_usd = excluded.settled_nano_usd, is_complete = true`.execute(
      h.deps.database,
    );

  /** Records requests of the key in the rollups. */
  const record = (requests: readonly (Partial<EndRecord> & { startedAtMs: number })[]) =>
    recordUsage(
      h.deps.database,
      requests.map((fields) => {
        const requestId = newId("req_", fields.startedAtMs);
        return endRecord({ organizationId: org.id, workspaceId, apiKeyId, requestId, ...fields });
      }),
    );

  /** Records one request per hour of the last days. */
  const spendHourly = (days: number, usd: bigint) => {
    const cost = { ...noCost, output: usd * NANO, total: usd * NANO };
    return record(
      Array.from({ length: days * 24 }, (_, hour) => {
        return { startedAtMs: NOW_MS - (hour + 1) * HOUR_MS, cost };
      }),
    );
  };

  const read = async <Answer extends object>(path: string, client: Client = org.admin) =>
    (await client.get<Answer>(`/v1/admin/${path}`)).body;
  const listForecasts = (client?: Client) =>
    read<{ data: Forecast[]; has_more: boolean }>("spend_limits/forecasts", client);

  return { setLimit, settle, record, spendHourly, read, listForecasts };
});

const isoAfterDays = (days: number) => new Date(NOW_MS + days * DAY_MS).toISOString();

test.beforeEach(async ({ h }) => {
  h.clock.nowMs = NOW_MS;
});

describe("limits that will block requests soon", () => {
  test("are listed with the time at a steady pace, the earliest first", async ({ company }) => {
    await company.spendHourly(14, 10n);
    await company.setLimit("organization", 6_600);
    await company.setLimit("workspace", 6_000, { enforcement: "soft" });
    await company.setLimit("api_key", 7_500);
    for (const scope of ["organization", "workspace", "api_key"] as const) {
      await company.settle(scope, 5_000n);
    }
    const { data, has_more } = await company.listForecasts();
    expect(has_more).toBe(false);
    // $10 an hour, $240 a day: 100 and 160 hours from now. The month has 154 hours left.
    expect(data.map(({ spend_limit, reached_at }) => [spend_limit.scope.type, reached_at])).toEqual(
      [["workspace", "2026-11-28T18:00:00.000Z"]],
    );
    expect(data[0]).toMatchObject({ forecast_usd: "6540.00", usd_per_day: "240.00" });
    await company.setLimit("organization", 6_200);
    const later = await company.listForecasts();
    expect(later.data.map(({ reached_at }) => reached_at)).toEqual([
      "2026-11-28T18:00:00.000Z",
      "2026-11-29T14:00:00.000Z",
    ]);
  });

  test("omit alert-only limits, blocking limits, and keys that cannot send", async ({
    org,
    apiKeyId,
    company,
  }) => {
    await company.spendHourly(14, 10n);
    await company.setLimit("organization", 6_000, { enforcement: "alert_only" });
    await company.setLimit("workspace", 5_000);
    await company.setLimit("api_key", 6_000);
    for (const scope of ["organization", "workspace", "api_key"] as const) {
      await company.settle(scope, 5_000n);
    }
    expect((await company.listForecasts()).data).toMatchObject([
      { spend_limit: { scope: { api_key_id: apiKeyId } } },
    ]);
    await org.admin.post(`/v1/admin/api_keys/${apiKeyId}`, { status: "inactive" });
    expect((await company.listForecasts()).data).toEqual([]);
  });

  test("are those of the caller's workspaces, and none without a week of usage", async ({
    org,
    workspaceId,
    company,
  }) => {
    await company.spendHourly(6, 10n);
    await company.setLimit("organization", 6_000);
    await company.setLimit("workspace", 6_000);
    await company.settle("organization", 5_000n);
    await company.settle("workspace", 5_000n);
    expect((await company.listForecasts()).data).toEqual([]);
    await company.record([{ startedAtMs: NOW_MS - 20 * DAY_MS }]);
    expect((await company.listForecasts()).data).toHaveLength(2);
    const elsewhere = await org.admin.createWorkspace();
    const workspaces = { [elsewhere.id]: "workspace_admin" } as const;
    const other = await org.member({ role: "developer", workspaces });
    expect((await company.listForecasts(other.client)).data).toEqual([]);
    const own = { [workspaceId]: "workspace_developer" } as const;
    const member = await org.member({ role: "developer", workspaces: own });
    expect((await company.listForecasts(member.client)).data).toMatchObject([
      { workspace_id: workspaceId },
    ]);
  });
});

describe("badges", () => {
  test("count open groups, pending requests, blocking limits, failing channels and the upstream", async ({
    h,
    org,
    company,
  }) => {
    expect(await company.read<Badges>("badges")).toEqual({
      type: "badges",
      ...{ alerts: 0, increase_requests: 0, access_reviews: null, blocked_limits: 0 },
      ...{ failing_channels: 0, failing_upstreams: 0 },
    });
    await company.setLimit("workspace", 5);
    await company.settle("workspace", 5n);
    const target = { kind: "webhook", url: "https://hooks.example.com/bursar" };
    const channel = await org.admin.post<{ id: string }>("/v1/admin/alert_channels", {
      ...{ name: "On call", target },
    });
    await sql`UPDATE alert_channel SET failures_in_a_row = 72 WHERE id = ${channel.body.id}`.execute(
      h.deps.database,
    );
    for (const amount_usd of [3, 4]) {
      await org.admin.post("/v1/admin/alerts", {
        ...{ name: `Above ${amount_usd}`, scope: { type: "organization" }, includes_below: true },
        ...{ condition: { kind: "spend_limit", thresholds: [{ percent: 90 }, { amount_usd }] } },
      });
    }
    const failed = { outcome: "refused", httpStatus: 529 } as const;
    await company.record(
      Array.from({ length: 6 }, () => ({ startedAtMs: NOW_MS - 60_000, ...failed })),
    );
    // The firings of two alerts have one kind and one scope.
    expect(await company.read<Badges>("badges")).toMatchObject({
      ...{ alerts: 1, blocked_limits: 1, failing_channels: 1, failing_upstreams: 1 },
    });
  });

  test("count an increase request for those who can decide it, and not for its author", async ({
    org,
    workspaceId,
    company,
  }) => {
    await company.setLimit("workspace", 5);
    const owner = await org.member({ role: "owner" });
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const developer = await org.member({ role: "developer", workspaces });
    const body = { scope: { type: "workspace", workspace_id: workspaceId }, amount_usd: 9 };
    await owner.client.post("/v1/admin/spend_limit_increase_requests", {
      ...{ ...body, reason: "A migration" },
    });
    const count = async (client: Client) =>
      (await company.read<Badges>("badges", client)).increase_requests;
    expect([
      await count(org.admin),
      await count(owner.client),
      await count(developer.client),
    ]).toEqual([1, 0, null]);
  });

  test("are null for a member without a workspace", async ({ org, company }) => {
    const { client } = await org.member({ role: "user" });
    expect(await company.read<Badges>("badges", client)).toEqual({
      type: "badges",
      ...{ alerts: null, increase_requests: null, access_reviews: null, blocked_limits: null },
      ...{ failing_channels: null, failing_upstreams: null },
    });
  });
});

test("counts what the caller can list: workspaces, keys, members and causes", async ({
  h,
  org,
  workspaceId,
  company,
}) => {
  const elsewhere = await org.admin.createWorkspace();
  await org.admin.createApiKey(elsewhere.id);
  const archived = await org.admin.createApiKey(workspaceId);
  await org.admin.post(`/v1/admin/api_keys/${archived.id}`, { status: "archived" });
  const workspaces = { [workspaceId]: "workspace_developer" } as const;
  const { client } = await org.member({ role: "developer", workspaces });
  const listed = async (path: string) => (await company.read<{ data: object[] }>(path)).data.length;
  expect(await company.read<Counts>("organization/counts")).toEqual({
    type: "organization_counts",
    workspaces: await listed("workspaces"),
    api_keys: 2,
    members: await listed("members"),
    pending_invites: 0,
    expiring_keys: 0,
    doubtful_requests: 0,
    refusal_causes: 0,
    has_requests: false,
  });
  const of = { organizationId: org.id, workspaceId: elsewhere.id, apiKeyId: elsewhere.id };
  await recordRefusals(h.deps.database, [
    ...(["rate_limited", "model_not_allowed"] as const).map((errorCode) =>
      makeRefusal({ ...of, errorCode, atMs: NOW_MS }),
    ),
    makeRefusal({ ...of, errorCode: "permission_denied", atMs: NOW_MS - DAY_MS }),
  ]);
  await company.record([
    { startedAtMs: NOW_MS - DAY_MS, doubt: "missing_usage" },
    { startedAtMs: NOW_MS - DAY_MS, doubt: "incomplete_usage" },
    { startedAtMs: NOW_MS - 31 * DAY_MS, doubt: "impossible_usage" },
  ]);
  await org.admin.createApiKey(workspaceId, { expires_at: isoAfterDays(13) });
  await org.admin.createApiKey(workspaceId, { expires_at: isoAfterDays(15) });
  expect(await company.read<Counts>("organization/counts")).toMatchObject({
    ...{ api_keys: 4, expiring_keys: 1, doubtful_requests: 1 },
    ...{ refusal_causes: 2, has_requests: true },
  });
  expect(await company.read<Counts>("organization/counts", client)).toMatchObject({
    ...{ workspaces: 1, api_keys: 3, pending_invites: null },
    ...{ expiring_keys: 1, doubtful_requests: null, refusal_causes: 0 },
  });
});

test("the upstream is failing while a fifth of its requests fail, and idle without requests", async ({
  h,
  company,
}) => {
  const read = () => company.read<Health>("upstreams/health");
  expect(await read()).toMatchObject({ state: "idle", minutes: 15, requests: 0 });
  const startedAtMs = NOW_MS - 60_000;
  const failed = { startedAtMs, outcome: "interrupted", httpStatus: null } as const;
  await company.record([failed, ...Array.from({ length: 4 }, () => ({ startedAtMs }))]);
  expect(await read()).toMatchObject({
    ...{ state: "failing", requests: 5, failed_requests: 1 },
    last_failed_at: new Date(startedAtMs).toISOString(),
  });
  await company.record([{ startedAtMs }]);
  expect((await read()).state).toBe("working");
  h.clock.nowMs += HOUR_MS;
  expect((await read()).state).toBe("idle");
});
