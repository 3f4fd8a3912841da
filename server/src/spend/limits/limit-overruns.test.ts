import type { limitOverrun } from "@bursar/contract/admin/limit-overruns.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import { makeSpendAlerts } from "#src/alerts/firing/spend-participant.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { MAX_NAMED_BEYOND } from "#src/spend/ledger/charges.ts";
import type { SettledBalance } from "#src/spend/ledger/leases.sql.ts";
import { pruneBalances } from "#src/spend/ledger/prune-balances.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { settleRecords } from "#test/harness/folds.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";

// Overruns of a limit, from the fold to the list with their requests and firings.

type Overrun = z.output<typeof limitOverrun>;

const CENT = 10_000_000n;
const LIMITS = "/v1/admin/spend_limits";

const test = base.extend("company", async ({ h, org, workspaceId, apiKeyId }) => {
  // Overruns have times of the database's clock.
  h.clock.nowMs = Date.now();
  await org.admin.post("/v1/admin/alerts", {
    name: "Overruns",
    scope: { type: "organization" },
    includes_below: true,
    condition: { kind: "limit_overrun" },
  });
  const { body: limit } = await org.admin.post<{ id: string }>(LIMITS, {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "monthly",
    limit_usd: 2,
  });

  /** Settles requests in one fold, each with its cost and its hold in cents. */
  async function settle(...requests: [cents: bigint, holdCents: bigint][]): Promise<string[]> {
    const records = requests.map(([cents, holdCents]) => {
      const at = { organizationId: org.id, workspaceId, apiKeyId, startedAtMs: h.clock.nowMs };
      return endRecord(beginRecord({ ...at, holdNanoUsd: holdCents * CENT }), cents * CENT);
    });
    let settled: readonly SettledBalance[] = [];
    const logger = makeLogger("silent");
    const { database } = h.deps;
    const { participant } = makeSpendAlerts({
      ...{ database, deps: h.deps, logger },
      settled: () => settled,
    });
    await inTransaction(database, async (tx) => {
      settled = await settleRecords(tx, "node_1", records, { atMs: null });
      await participant.fold(tx, []);
    });
    return records.map(({ requestId }) => requestId);
  }

  /** Moves the recorded overruns into the past, so that the next ones are of another minute. */
  const passMinutes = (minutes: number) =>
    sql`UPDATE limit_overrun SET minute_at = minute_at - ${minutes} * interval '1 minute'`.execute(
      h.deps.database,
    );

  const overruns = async (query = "", client: Client = org.admin) => {
    const { body } = await client.get<Listed<Overrun>>(`${LIMITS}/${limit.id}/overruns${query}`);
    return body;
  };
  return { limit, settle, passMinutes, overruns };
});

test("a limit lists its overruns with the requests beyond their holds, and the firing", async ({
  company,
}) => {
  const { limit, settle, overruns } = company;
  await settle([150n, 150n]);
  expect(await overruns()).toMatchObject({ data: [], next_page: null });
  const [beyond] = await settle([70n, 50n], [10n, 40n]);
  const { data } = await overruns();
  expect(data).toEqual([
    {
      type: "limit_overrun",
      spend_limit_id: limit.id,
      at: expect.stringMatching(/:00\.000Z$/),
      period_starts_at: expect.stringMatching(/-01T00:00:00\.000Z$/),
      period_ends_at: expect.stringMatching(/-01T00:00:00\.000Z$/),
      ...{ overrun_usd: "0.30", limit_usd: "2.00", spent_usd: "2.30" },
      requests: [{ request_id: beyond, beyond_usd: "0.20" }],
      request_count: 1,
      firings: [
        {
          id: expect.any(String),
          alert: { id: expect.any(String), name: "Overruns" },
          fired_at: expect.stringMatching(/Z$/),
        },
      ],
    },
  ]);
});

test("overruns of one minute are one entry, and of several minutes a list in pages", async ({
  company,
}) => {
  const { settle, passMinutes, overruns } = company;
  await settle([210n, 200n]);
  await settle([5n, 5n]);
  expect((await overruns()).data.map((each) => each.overrun_usd)).toEqual(["0.15"]);
  await passMinutes(7);
  await settle([3n, 3n]);
  const first = await overruns("?limit=1");
  expect(first.data.map((each) => each.overrun_usd)).toEqual(["0.03"]);
  const next = await overruns(`?limit=1&page=${first.next_page}`);
  expect(next.data.map((each) => [each.overrun_usd, each.spent_usd])).toEqual([["0.15", "2.15"]]);
  expect(next.next_page).toBeNull();
  const firings = [...first.data, ...next.data].map((each) => each.firings.length);
  expect(firings).toEqual([1, 1]);
});

test("an entry names a bounded number of requests and counts all", async ({ company }) => {
  const { settle, overruns } = company;
  const many = Array.from({ length: MAX_NAMED_BEYOND + 5 }, (): [bigint, bigint] => [10n, 9n]);
  await settle([200n, 200n], ...many);
  await settle([10n, 9n]);
  const [entry] = (await overruns()).data;
  expect(entry?.requests).toHaveLength(MAX_NAMED_BEYOND);
  expect(entry?.request_count).toBe(MAX_NAMED_BEYOND + 6);
});

test("an adjustment beyond the limit names its request", async ({
  org,
  workspaceId,
  apiKeyId,
  company,
}) => {
  const { settle, overruns } = company;
  await settle([190n, 190n]);
  const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
  await org.admin.post(`/v1/admin/unresolved_spend/${id}/resolve`, {
    decision: "charge",
    reason: "On the invoice.",
  });
  expect((await overruns()).data).toMatchObject([
    {
      overrun_usd: "0.40",
      requests: [{ request_id: expect.any(String), beyond_usd: "0.50" }],
      request_count: 1,
    },
  ]);
});

test("a caller sees the firings of its workspaces only, and no overrun of a hidden limit", async ({
  h,
  org,
  workspaceId,
  company,
}) => {
  const { limit, settle, overruns } = company;
  await settle([230n, 230n]);
  const { key } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
  expect((await overruns("", h.as(key))).data).toMatchObject([{ firings: [{}] }]);
  const elsewhere = (await org.admin.createWorkspace()).id;
  const other = await org.admin.createApiKey(elsewhere, { permissions: ["admin"] });
  const hidden = await h.as(other.key).get(`${LIMITS}/${limit.id}/overruns`);
  expect(hidden.status).toBe(404);
});

test("overruns are deleted with the balances of their period", async ({ h, company }) => {
  const { settle, overruns } = company;
  await settle([230n, 230n]);
  const { database } = h.deps;
  await sql`UPDATE limit_overrun SET period_start = period_start - 400`.execute(database);
  await pruneBalances(database, Infinity);
  expect((await overruns()).data).toHaveLength(1);
  await pruneBalances(database, 62);
  expect((await overruns()).data).toEqual([]);
});
