import type { alert, alertFiring } from "@bursar/contract/admin/alerts.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { type SettledBalance, settleBatch } from "#src/spend/ledger/leases.sql.ts";
import {
  type AdminHarness,
  type Listed,
  startAdmin,
  type TestOrganization,
} from "#test/harness/admin.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { sweepOverruns } from "./fire-overruns.ts";
import { makeSpendAlerts } from "./spend-participant.ts";

// Spend beyond a strict limit, from the flush that settles it to the firing.

type Firing = z.output<typeof alertFiring>;

const CENT = 10_000_000n;

let h: AdminHarness;
let org: TestOrganization;
let workspaceId: string;
let apiKeyId: string;

beforeAll(async () => {
  h = await startAdmin();
});
afterAll(() => h.close());
beforeEach(async () => {
  // Raises of limits are noted by the database's own clock.
  h.clock.nowMs = Date.now();
  org = await h.organization();
  workspaceId = (await org.admin.createWorkspace()).id;
  apiKeyId = (await org.admin.createApiKey(workspaceId)).id;
});

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

/** A request that no hold stood for, as one that is settled after its budget was released. */
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
    settled = await settleBatch(tx, "node_1", batch, { atMs: null });
    await participant.flush(tx, batch);
  });
}

async function firings(): Promise<Firing[]> {
  const { body } = await org.admin.get<Listed<Firing>>(
    "/v1/admin/alert_firings?kinds=limit_overrun",
  );
  return body.data;
}

test("spend beyond a strict limit fires once, with the amount, and its limit shows it", async () => {
  await createAlert();
  await limit(2);
  await settle(200n);
  expect(await firings()).toEqual([]);
  await settle(62n);
  expect(await firings()).toMatchObject([
    {
      kind: "limit_overrun",
      scope: { type: "workspace", workspace_id: workspaceId },
      workspace_id: workspaceId,
      threshold: "over limit",
      title: expect.stringMatching(
        /has spent \$2\.62: \$0\.62 settled beyond its monthly limit of \$2\.00\.$/,
      ),
      facts: { limit_usd: "2.00", spent_usd: "2.62", overrun_usd: "0.62", enforcement: "strict" },
    },
  ]);
  await settle(8n);
  expect(await firings()).toHaveLength(1);
  const { body } = await org.admin.get<Listed<{ spent_usd: string; overrun_usd: string }>>(
    `/v1/admin/spend_limits?workspace_id=${workspaceId}`,
  );
  expect(body.data).toMatchObject([{ spent_usd: "2.70", overrun_usd: "0.70" }]);
});

test("it fires again after the limit was raised above what was spent and is exceeded again", async () => {
  await createAlert();
  await limit(2);
  await settle(262n);
  await limit(2.5);
  await settle(1n);
  expect(await firings()).toHaveLength(1);
  await limit(5);
  await settle(200n);
  expect(await firings()).toHaveLength(1);
  await settle(100n);
  expect((await firings()).map(({ facts }) => facts.overrun_usd)).toEqual(["1.26", "0.62"]);
});

test.each(["soft", "alert_only"])("a %s limit has no overrun", async (enforcement) => {
  await createAlert();
  await limit(2, enforcement);
  await settle(262n);
  expect(await firings()).toEqual([]);
});

test("the sweep fires for an alert that was created after the overrun", async () => {
  await limit(2);
  await settle(262n);
  await createAlert();
  const sweep = () => inTransaction(h.deps.database, (tx) => sweepOverruns(tx, h.deps));
  await sweep();
  expect(await firings()).toHaveLength(1);
  await sweep();
  expect(await firings()).toHaveLength(1);
});

test("spend that is charged by a decision beyond the limit is an overrun", async () => {
  await createAlert();
  await limit(2);
  await settle(190n);
  const { id } = await org.unresolvedSpend(workspaceId, apiKeyId);
  await org.admin.post(`/v1/admin/unresolved_spend/${id}/resolve`, {
    decision: "charge",
    reason: "On the invoice.",
  });
  expect(await firings()).toMatchObject([{ facts: { overrun_usd: "0.40" } }]);
});
