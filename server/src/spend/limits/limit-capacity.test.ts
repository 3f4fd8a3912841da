import type { spendLimitCapacity } from "@bursar/contract/admin/limit-capacity.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { Cut, EndRecord } from "#src/domain/request-record.ts";
import { noCost } from "#src/domain/usage.ts";
import type { Client } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

// Requests that a limit could start now, from the requests of the last day.

type Capacity = z.output<typeof spendLimitCapacity>;

const CENT = 10_000_000n;
const HOUR_MS = 3_600_000;
const LIMITS = "/v1/admin/spend_limits";

let made = 0;

const test = base.extend("scene", ({ h, org, workspaceId, apiKeyId }) => {
  /** Records requests, each with its cost in cents. */
  const record = (cents: readonly bigint[], fields: Partial<EndRecord> = {}) =>
    recordUsage(
      h.deps.database,
      cents.map((each) => {
        made += 1;
        const requestId = `req_capacity${made}`;
        const startedAtMs = h.clock.nowMs - HOUR_MS + made;
        const cost = { ...noCost, output: each * CENT, total: each * CENT };
        const place = { organizationId: org.id, workspaceId, apiKeyId };
        return endRecord({ requestId, startedAtMs, cost, ...place, ...fields });
      }),
    );
  const limit = async (scope: object, fields: object = {}) => {
    const body = { scope, period: "monthly", limit_usd: 10, hold: "steps", ...fields };
    return (await org.admin.post<{ id: string }>(LIMITS, body)).body.id;
  };
  const capacity = async (id: string, client: Client = org.admin) =>
    (await client.get<Capacity>(`${LIMITS}/${id}/capacity`)).body;
  const key = { type: "api_key", api_key_id: apiKeyId };
  const workspace = { type: "workspace", workspace_id: workspaceId };
  return { record, limit, capacity, key, workspace, company: { type: "organization" } };
});

test("divides what remains by the 90th percentile of streams and of other requests", async ({
  h,
  scene,
}) => {
  const { record, limit, capacity, key } = scene;
  const id = await limit(key);
  await record([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 20n, 90n], { isStream: true });
  await record([1n], { holdNanoUsd: 250n * CENT });
  const { models, ...rest } = await capacity(id);
  expect(rest).toEqual({
    ...{ type: "spend_limit_capacity", spend_limit_id: id, remaining_usd: "10.00" },
    since: new Date(h.clock.nowMs - 24 * HOUR_MS).toISOString(),
  });
  expect(models).toMatchObject([
    {
      ...{ model: "claude-sonnet-5", requests: 11, usual_cost_usd: "0.20" },
      in_steps: { start_usd: "0.40", could_start: 25 },
      whole: { hold_usd: "2.50", could_start: 4 },
    },
  ]);
});

test("counts holds of streams under a limit that holds them whole", async ({ scene }) => {
  const { record, limit, capacity, key } = scene;
  const id = await limit(key, { hold: "whole" });
  await record([1n], { isStream: true, holdNanoUsd: 300n * CENT });
  expect((await capacity(id)).models).toMatchObject([
    { in_steps: null, whole: { hold_usd: "3.00", could_start: 3 } },
  ]);
});

test("counts streams that a limit cut, and no other interrupted ones", async ({ scene }) => {
  const { record, limit, capacity, key } = scene;
  const id = await limit(key);
  const cut: Cut = {
    ...{ reason: "limit_spent", scopeType: "api_key", scopeId: "apikey_1", period: "monthly" },
    ...{ heldNanoUsd: 11n * CENT, seenOutputTokens: 1, boundOutputTokens: 5_000 },
  };
  const interrupted = { isStream: true, outcome: "interrupted" } as const;
  await record([1n], { isStream: true });
  await record([10n, 10n], { ...interrupted, holdNanoUsd: 11n * CENT, cut });
  await record([50n, 50n, 50n], interrupted);
  expect((await capacity(id)).models).toMatchObject([
    { requests: 3, usual_cost_usd: "0.10", in_steps: { start_usd: "0.11" } },
  ]);
});

test("reads the requests of the scope in the last day only, the most used model first", async ({
  h,
  org,
  scene,
}) => {
  const { record, limit, capacity, key, workspace, company } = scene;
  await record([1n], { model: "claude-opus-5" });
  await record([2n, 2n]);
  await record([3n], { startedAtMs: h.clock.nowMs - 25 * HOUR_MS, model: "claude-haiku-4-5" });
  await record([4n], { outcome: "unreached", model: "claude-haiku-4-5" });
  const elsewhere = (await org.admin.createWorkspace()).id;
  const other = await org.admin.createApiKey(elsewhere);
  const place = { workspaceId: elsewhere, apiKeyId: other.id };
  await record([5n], { ...place, model: "claude-sonnet-4-6" });
  const modelsOf = async (scope: object) =>
    (await capacity(await limit(scope))).models.map(({ model, requests }) => [model, requests]);
  const own = [
    ["claude-sonnet-5", 2],
    ["claude-opus-5", 1],
  ];
  expect(await modelsOf(key)).toEqual(own);
  expect(await modelsOf(workspace)).toEqual(own);
  expect(await modelsOf(company)).toEqual([...own, ["claude-sonnet-4-6", 1]]);
  expect(await modelsOf({ type: "api_key", api_key_id: other.id })).toEqual([
    ["claude-sonnet-4-6", 1],
  ]);
});

test("is empty without requests, and a 404 for a hidden limit", async ({ h, org, scene }) => {
  const { limit, capacity, company } = scene;
  const id = await limit(company);
  expect((await capacity(id)).models).toEqual([]);
  const { key } = await org.admin.createApiKey((await org.admin.createWorkspace()).id, {
    permissions: ["admin"],
  });
  expect((await h.as(key).get(`${LIMITS}/${id}/capacity`)).status).toBe(404);
});
