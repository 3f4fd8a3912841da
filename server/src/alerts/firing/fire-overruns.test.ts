import type { alert, alertFiring } from "@bursar/contract/admin/alerts.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import type { Cut, EndRecord } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { foldAll } from "#src/recording/fold.ts";
import { appendBatch } from "#src/recording/record-usage.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import type { SettledBalance } from "#src/spend/ledger/leases.sql.ts";
import { makeSpendFold } from "#src/spend/ledger/ledger.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { settleRecords } from "#test/harness/folds.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { sweepOverruns } from "./fire-overruns.ts";
import { makeSpendAlerts } from "./spend-participant.ts";

// Alerts about spend beyond a strict limit, from the flush to the firing.

type Firing = z.output<typeof alertFiring>;

const CENT = 10_000_000n;

const test = base.extend("company", ({ h, org, workspaceId, apiKeyId }) => {
  const createAlert = async () => {
    const { status } = await org.admin.post<z.output<typeof alert>>("/v1/admin/alerts", {
      name: "Overruns",
      scope: { type: "organization" },
      includes_below: true,
      condition: { kind: "limit_overrun" },
    });
    expect(status).toBe(200);
  };

  const limit = (limitUsd: number, enforcement = "strict") =>
    org.admin.post("/v1/admin/spend_limits", {
      scope: { type: "workspace", workspace_id: workspaceId },
      period: "monthly",
      limit_usd: limitUsd,
      enforcement,
    });

  /** Settles a request without a hold, like one whose budget was released before. */
  async function settle(cents: bigint): Promise<void> {
    const startedAtMs = h.clock.nowMs;
    const begun = beginRecord({ organizationId: org.id, workspaceId, apiKeyId, startedAtMs });
    const batch = [endRecord(begun, cents * CENT)];
    let settled: readonly SettledBalance[] = [];
    const { participant } = makeSpendAlerts({
      database: h.deps.database,
      deps: h.deps,
      settled: () => settled,
      logger: makeLogger("silent"),
    });
    await inTransaction(h.deps.database, async (tx) => {
      settled = await settleRecords(tx, "node_1", batch, { atMs: null });
      await participant.fold(tx, []);
    });
  }

  /** Appends the requests, and folds them with alerts, as a node does. */
  async function fold(records: readonly EndRecord[]): Promise<void> {
    const { database } = h.deps;
    const logger = makeLogger("silent");
    const spendFold = makeSpendFold();
    const settled = () => spendFold.settled();
    const { participant } = makeSpendAlerts({ database, deps: h.deps, settled, logger });
    const position = { journalId: "journal", toSeq: 0 };
    await inTransaction(database, (tx) =>
      appendBatch(tx, { nodeId: "node_1", encodeHoldCharges, ...position }, records),
    );
    await foldAll({ database, participants: [spendFold, participant], logger });
  }

  /** An ended request of the key. */
  const request = (cents: bigint, overrides: Partial<EndRecord> = {}) => {
    const startedAtMs = h.clock.nowMs;
    const begun = beginRecord({ organizationId: org.id, workspaceId, apiKeyId, startedAtMs });
    return endRecord(begun, cents * CENT, overrides);
  };

  async function firings(): Promise<Firing[]> {
    const { body } = await org.admin.get<Listed<Firing>>(
      "/v1/admin/alert_firings?kinds=limit_overrun",
    );
    return body.data;
  }

  return { createAlert, limit, settle, fold, request, firings };
});

test.beforeEach(async ({ h }) => {
  // Raises of limits have times of the database's clock.
  h.clock.nowMs = Date.now();
});

test("spend beyond a strict limit fires once with the amount, which the limit also shows", async ({
  org,
  workspaceId,
  company,
}) => {
  await company.createAlert();
  await company.limit(2);
  await company.settle(200n);
  expect(await company.firings()).toEqual([]);
  await company.settle(62n);
  expect(await company.firings()).toMatchObject([
    {
      kind: "limit_overrun",
      scope: { type: "workspace", workspace_id: workspaceId },
      workspace_id: workspaceId,
      threshold: "over limit",
      title: expect.stringMatching(
        /has spent \$2\.62, which is \$0\.62 beyond its monthly limit of \$2\.00\.$/,
      ),
      facts: { limit_usd: "2.00", spent_usd: "2.62", overrun_usd: "0.62", enforcement: "strict" },
    },
  ]);
  await company.settle(8n);
  expect(await company.firings()).toHaveLength(1);
  const { body } = await org.admin.get<Listed<{ spent_usd: string; overrun_usd: string }>>(
    `/v1/admin/spend_limits?workspace_id=${workspaceId}`,
  );
  expect(body.data).toMatchObject([{ spent_usd: "2.70", overrun_usd: "0.70" }]);
});

test("an overrun fires again after the limit was raised above the spend and exceeded again", async ({
  company,
}) => {
  await company.createAlert();
  await company.limit(2);
  await company.settle(262n);
  await company.limit(2.5);
  await company.settle(1n);
  expect(await company.firings()).toHaveLength(1);
  await company.limit(5);
  await company.settle(200n);
  expect(await company.firings()).toHaveLength(1);
  await company.settle(100n);
  expect((await company.firings()).map(({ facts }) => facts.overrun_usd)).toEqual(["1.26", "0.62"]);
});

test.for(["soft", "alert_only"])("a %s limit has no overrun", async (enforcement, { company }) => {
  await company.createAlert();
  await company.limit(2, enforcement);
  await company.settle(262n);
  expect(await company.firings()).toEqual([]);
});

test("the sweep fires for an alert that was created after the overrun", async ({ h, company }) => {
  await company.limit(2);
  await company.settle(262n);
  await company.createAlert();
  const sweep = () => inTransaction(h.deps.database, (tx) => sweepOverruns(tx, h.deps));
  await sweep();
  expect(await company.firings()).toHaveLength(1);
  await sweep();
  expect(await company.firings()).toHaveLength(1);
});

test("an adjustment beyond the limit is an overrun", async ({
  org,
  workspaceId,
  apiKeyId,
  company,
}) => {
  await company.createAlert();
  await company.limit(2);
  await company.settle(190n);
  const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
  await org.admin.post(`/v1/admin/unresolved_spend/${id}/resolve`, {
    decision: "charge",
    reason: "On the invoice.",
  });
  expect(await company.firings()).toMatchObject([{ facts: { overrun_usd: "0.40" } }]);
});

describe("a firing names requests of the overrun", () => {
  const cut: Cut = {
    ...{ reason: "limit_spent", scopeType: "workspace", scopeId: "wksp_1", period: "monthly" },
    ...{ heldNanoUsd: 20n * CENT, seenOutputTokens: 10, boundOutputTokens: 20 },
  };

  test("with their causes, the largest cost beyond its hold first", async ({ org, company }) => {
    await company.createAlert();
    await company.limit(2);
    const { request } = company;
    const { requestId } = await org.recordExceededBound();
    const held = (cents: bigint) => ({ holdNanoUsd: cents * CENT, isStream: true });
    const stream = { outcome: "interrupted", isEstimated: true } as const;
    const requests = [
      request(90n, { ...held(20n), ...stream, cut: { ...cut, pausedMs: 40_000 } }),
      request(60n, { ...held(20n), ...stream, cut }),
      request(50n, { ...held(20n), ...stream, cut, requestId }),
      request(30n, held(20n)),
      request(20n, held(20n)),
    ];
    await company.fold(requests.toReversed());
    const [firing, ...others] = await company.firings();
    expect(others).toEqual([]);
    expect(firing?.facts.overrun_usd).toBe("0.50");
    const causes = [
      "node_paused",
      "billed_after_cut",
      "beyond_bound",
      "above_hold",
      "settled_late",
    ];
    const costs = ["0.90", "0.60", "0.50", "0.30", "0.20"];
    expect(firing?.facts.overrun_requests).toEqual(
      requests.map(({ requestId: id }, at) => ({
        ...{ id, cost_usd: costs[at], held_usd: "0.20", cause: causes[at] },
      })),
    );
    expect(firing?.next).toContain("A stream ran on while its node was paused.");
  });

  test("that exceeded the bound of their model", async ({ org, company }) => {
    await company.createAlert();
    await company.limit(2);
    const { requestId } = await org.recordExceededBound();
    const fast = company.request(250n, { requestId, holdNanoUsd: 100n * CENT });
    await company.fold([fast]);
    const [firing] = await company.firings();
    expect(firing?.facts.overrun_requests).toMatchObject([
      { id: requestId, cause: "beyond_bound" },
    ]);
  });

  test("ten of many, of its own scope and fold only", async ({ company }) => {
    await company.createAlert();
    await company.limit(2);
    const { request } = company;
    await company.fold([request(150n)]);
    const others = request(40n, { holdNanoUsd: 1n, workspaceId: "wksp_2", apiKeyId: "apikey_2" });
    const many = Array.from({ length: 15 }, (_, at) => request(10n, { holdNanoUsd: BigInt(at) }));
    await company.fold([others, ...many]);
    const [firing] = await company.firings();
    expect(firing?.facts.overrun_requests?.map(({ id }) => id)).toEqual(
      many.slice(0, 10).map(({ requestId }) => requestId),
    );
  });

  test("that an administrator charged", async ({ org, workspaceId, apiKeyId, company }) => {
    await company.createAlert();
    await company.limit(2);
    await company.settle(190n);
    const { id, requestId } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
    await org.admin.post(`/v1/admin/unresolved_spend/${id}/resolve`, {
      decision: "charge",
      reason: "On the invoice.",
    });
    const [firing] = await company.firings();
    expect(firing?.facts.overrun_requests).toEqual([
      { id: requestId, cost_usd: "0.50", held_usd: null, cause: "charged" },
    ]);
  });

  test("also in a sweep, those beyond their holds", async ({ h, company }) => {
    await company.limit(2);
    const beyond = company.request(120n, { holdNanoUsd: 100n * CENT });
    await company.fold([company.request(100n, { holdNanoUsd: 100n * CENT }), beyond]);
    await company.createAlert();
    await inTransaction(h.deps.database, (tx) => sweepOverruns(tx, h.deps));
    const [firing] = await company.firings();
    expect(firing?.facts.overrun_requests).toEqual([
      { id: beyond.requestId, cost_usd: "1.20", held_usd: "1.00", cause: "above_hold" },
    ]);
  });
});

test("an overrun of one period fires again when it has doubled, and not for each request", async ({
  company,
}) => {
  await company.createAlert();
  await company.limit(2);
  await company.fold([company.request(210n)]);
  for (let more = 0; more < 9; more++) await company.fold([company.request(1n)]);
  expect((await company.firings()).map(({ facts }) => facts.overrun_usd)).toEqual(["0.10"]);
  await company.fold([company.request(1n)]);
  await company.fold([company.request(15n)]);
  await company.fold([company.request(5n)]);
  const told = await company.firings();
  expect(told.map(({ threshold, facts }) => [threshold, facts.overrun_usd])).toEqual([
    ["over limit (3)", "0.40"],
    ["over limit (2)", "0.20"],
    ["over limit", "0.10"],
  ]);
});

test("an overrun that grew fires again after a day", async ({ h, org, company }) => {
  await company.createAlert();
  await company.limit(2);
  await company.fold([company.request(300n)]);
  await company.fold([company.request(10n)]);
  expect(await company.firings()).toHaveLength(1);
  await h.deps.database
    .updateTable("alert_firing")
    .set({ fired_at: new Date(Date.now() - 86_400_000) })
    .where("organization_id", "=", org.id)
    .execute();
  await company.fold([company.request(1n)]);
  expect((await company.firings()).map(({ facts }) => facts.overrun_usd)).toEqual(["1.11", "1.00"]);
});

test("each exceeded limit and period of one request has its own firing", async ({
  org,
  workspaceId,
  apiKeyId,
  company,
}) => {
  await company.createAlert();
  for (const period of ["daily", "weekly", "monthly"]) {
    for (const scope of [
      { type: "workspace", workspace_id: workspaceId },
      { type: "api_key", api_key_id: apiKeyId },
      { type: "organization" },
    ]) {
      const limit = { scope, period, limit_usd: 1, enforcement: "strict" };
      expect((await org.admin.post("/v1/admin/spend_limits", limit)).status).toBe(200);
    }
  }
  await company.fold([company.request(150n)]);
  const places = (await company.firings()).map(
    ({ scope, facts }) => `${scope.type} ${facts.period} ${facts.overrun_usd}`,
  );
  expect(places.toSorted()).toEqual(
    ["api_key", "organization", "workspace"].flatMap((type) =>
      ["daily", "monthly", "weekly"].map((period) => `${type} ${period} 0.50`),
    ),
  );
});

test("the sweep fires for a period that ended within a day", async ({ h, company }) => {
  await company.limit(2);
  const now = new Date(h.clock.nowMs);
  const endMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
  await company.fold([company.request(262n)]);
  await company.createAlert();
  const sweepAt = async (nowMs: number) => {
    const deps = { ...h.deps, nowMs: () => nowMs };
    await inTransaction(h.deps.database, (tx) => sweepOverruns(tx, deps));
    return (await company.firings()).length;
  };
  expect(await sweepAt(endMs + 86_400_000 + 1)).toBe(0);
  expect(await sweepAt(endMs + 60_000)).toBe(1);
  expect(await sweepAt(endMs + 60_000)).toBe(1);
});
