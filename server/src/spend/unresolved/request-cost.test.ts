import type { loggedRequest } from "@bursar/contract/admin/requests.ts";
import type { requestCost, spendAdjustment } from "@bursar/contract/admin/unresolved-spend.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost } from "#src/domain/usage.ts";
import { newId } from "#src/lib/ids.ts";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { settleRecord } from "#test/harness/unresolved-spend.ts";
import { endRecord } from "#test/harness/usage-records.ts";

type Cost = z.output<typeof requestCost>;
type Logged = z.output<typeof loggedRequest>;
type Adjustment = z.output<typeof spendAdjustment>;

const LOG = "/v1/admin/requests";
const HOLD = 500_000_000n;
const costOf = (total: bigint) => ({ ...noCost, input: total, total });

/** Usage that cannot be true cost its hold. */
const impossible = {
  doubt: "impossible_usage",
  isEstimated: true,
  holdNanoUsd: HOLD,
  cost: costOf(HOLD),
} as const;
/** A 200 without usage cost its input, and the rest of its hold is unresolved. */
const missing = {
  doubt: "missing_usage",
  outcome: "interrupted",
  isEstimated: true,
  holdNanoUsd: HOLD,
  cost: costOf(100_000_000n),
} as const;

const test = base.extend("costs", async ({ h, org, workspaceId, apiKeyId }) => {
  // The database counts overruns of current periods only.
  h.clock.nowMs = Date.now();
  const limit = await org.admin.post("/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "monthly",
    limit_usd: 1,
  });
  expect(limit.status).toBe(200);

  async function record(fields: Partial<EndRecord>): Promise<string> {
    const requestId = newId("req_", h.clock.nowMs);
    const startedAtMs = h.clock.nowMs;
    const of = { organizationId: org.id, workspaceId, apiKeyId };
    await settleRecord(h.deps.database, endRecord({ ...of, requestId, startedAtMs, ...fields }));
    return requestId;
  }

  const setCost = (id: string, cost_usd: string, client = org.admin) =>
    client.post<Cost>(`${LOG}/${id}/cost`, { cost_usd, reason: "The console says so." });

  /** Spent, unresolved and overrun of the workspace's limit. */
  async function spend(): Promise<string[]> {
    const { body } = await org.admin.get<Listed<Record<string, string>>>(
      `/v1/admin/spend_limits?workspace_id=${workspaceId}`,
    );
    const [row] = body.data;
    return [row?.["spent_usd"], row?.["unresolved_usd"], row?.["overrun_usd"]].map(String);
  }

  async function list(query: string): Promise<Logged[]> {
    return (await org.admin.get<Listed<Logged>>(`${LOG}?${query}`)).body.data;
  }

  const adjustments = async () =>
    (await org.admin.get<Listed<Adjustment>>("/v1/admin/spend_adjustments")).body.data;

  async function expectBooksToAgree(): Promise<void> {
    expect(await listBalanceDifferences(h.deps.database)).toEqual([]);
    expect((await checkLedger(h.deps.database, org.id)).differences).toEqual([]);
  }

  return { record, setCost, spend, list, adjustments, expectBooksToAgree };
});

describe("the cost of a doubtful request", () => {
  test("that settled at its hold is corrected down, audited, and shown in the log", async ({
    h,
    workspaceId,
    apiKeyId,
    costs,
  }) => {
    const id = await costs.record(impossible);
    expect(await costs.spend()).toEqual(["0.50", "0.00", "0.00"]);
    const { status, body } = await costs.setCost(id, "0.02");
    expect(status).toBe(200);
    expect(body).toEqual({
      type: "request_cost",
      request_id: id,
      recorded_usd: "0.50",
      adjustment_usd: "-0.48",
      cost_usd: "0.02",
      released_usd: "0.00",
      adjustment_id: expect.stringMatching(/^adj_|^\w+_/),
    });
    expect(await costs.spend()).toEqual(["0.02", "0.00", "0.00"]);
    expect(await costs.adjustments()).toMatchObject([
      { id: body.adjustment_id, request_id: id, workspace_id: workspaceId, api_key_id: apiKeyId },
    ]);
    expect(await costs.list("doubt=impossible_usage")).toMatchObject([
      { id, doubt: "impossible_usage", cost_usd: "0.50", adjustment_usd: "-0.48" },
    ]);
    expect(await auditEventsOf(h.deps.database, id)).toMatchObject([
      {
        event: "request.cost_set",
        workspace_id: workspaceId,
        before: { cost_usd: "0.50", unresolved_usd: "0.00", doubt: "impossible_usage" },
        after: { cost_usd: "0.02", reason: "The console says so." },
      },
    ]);
    await costs.expectBooksToAgree();
  });

  test("without usage replaces its estimate, and releases what was unresolved", async ({
    costs,
  }) => {
    const id = await costs.record(missing);
    expect(await costs.spend()).toEqual(["0.10", "0.40", "0.00"]);
    const { body } = await costs.setCost(id, "0.30");
    expect(body).toMatchObject({ adjustment_usd: "0.20", cost_usd: "0.30", released_usd: "0.40" });
    expect(await costs.spend()).toEqual(["0.30", "0.00", "0.00"]);
    await costs.expectBooksToAgree();
  });

  test("is replaced by a later decision", async ({ costs }) => {
    const id = await costs.record(missing);
    await costs.setCost(id, "0.45");
    const { body } = await costs.setCost(id, "0");
    expect(body).toMatchObject({ recorded_usd: "0.10", adjustment_usd: "-0.10", cost_usd: "0.00" });
    expect(await costs.spend()).toEqual(["0.00", "0.00", "0.00"]);
    expect(await costs.adjustments()).toHaveLength(2);
    await costs.expectBooksToAgree();
  });

  test("above a strict limit is an overrun, which a later credit does not remove", async ({
    costs,
  }) => {
    const id = await costs.record(missing);
    await costs.setCost(id, "1.25");
    expect(await costs.spend()).toEqual(["1.25", "0.00", "0.25"]);
    await costs.expectBooksToAgree();
    await costs.setCost(id, "0.10");
    expect(await costs.spend()).toEqual(["0.10", "0.00", "0.25"]);
    await costs.expectBooksToAgree();
  });

  test("is set once each by concurrent calls, and the last one counts", async ({ costs }) => {
    const id = await costs.record(impossible);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => costs.setCost(id, `0.0${i + 1}`)),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const [logged] = await costs.list("is_resolved=true");
    const [spent] = await costs.spend();
    expect(Number(spent)).toBeCloseTo(Number(logged?.adjustment_usd) + 0.5, 9);
    await costs.expectBooksToAgree();
  });
});

test("a charge of unresolved spend adds to the recorded cost", async ({ org, costs }) => {
  await costs.record(missing);
  const { body } = await org.admin.get<Listed<{ id: string; amount_usd: string }>>(
    "/v1/admin/unresolved_spend",
  );
  expect(body.data).toMatchObject([{ amount_usd: "0.40" }]);
  await org.admin.post(`/v1/admin/unresolved_spend/${body.data[0]?.id}/resolve`, {
    decision: "charge",
    reason: "All of it.",
  });
  expect(await costs.spend()).toEqual(["0.50", "0.00", "0.00"]);
  await costs.expectBooksToAgree();
});

test("an exact cost is refused, and another organization gets a 404", async ({ h, costs }) => {
  const exact = await costs.record({});
  const refused = await costs.setCost(exact, "0.02");
  expect(refused.status).toBe(400);
  expect(refused.error.message).toContain("the cost of this request is exact");
  const doubtful = await costs.record(impossible);
  const other = await h.organization();
  expect((await costs.setCost(doubtful, "0.02", other.admin)).status).toBe(404);
  expect((await costs.setCost("req_unknown", "0.02")).status).toBe(404);
  expect((await costs.setCost(doubtful, "1000001")).status).toBe(400);
});

test("the log lists doubtful requests with and without a decision", async ({ costs }) => {
  const ids = [
    await costs.record(impossible),
    await costs.record(missing),
    await costs.record({ doubt: "incomplete_usage", outcome: "interrupted", isEstimated: true }),
    await costs.record({}),
  ];
  const listed = async (query: string) => {
    const found = await costs.list(query);
    return found.map(({ id }) => ids.indexOf(id)).sort();
  };
  expect(await listed("doubt=impossible_usage,missing_usage")).toEqual([0, 1]);
  await costs.setCost(ids[0] ?? "", "0.02");
  expect(await listed("doubt=impossible_usage,missing_usage&is_resolved=false")).toEqual([1]);
  expect(await listed("is_resolved=true")).toEqual([0]);
  expect(await listed("is_resolved=false")).toEqual([1, 2, 3]);
  expect(await listed("doubt=incomplete_usage&workspace_id=")).toEqual([2]);
});
