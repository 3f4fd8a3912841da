import type { alert, alertFiring } from "@bursar/contract/admin/alerts.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import { makeLogger } from "#src/lib/logger.ts";
import type { SettledBalance } from "#src/spend/ledger/leases.sql.ts";
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
      await participant.fold(tx);
    });
  }

  async function firings(): Promise<Firing[]> {
    const { body } = await org.admin.get<Listed<Firing>>(
      "/v1/admin/alert_firings?kinds=limit_overrun",
    );
    return body.data;
  }

  return { createAlert, limit, settle, firings };
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
