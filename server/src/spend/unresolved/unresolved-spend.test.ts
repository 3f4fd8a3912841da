import type {
  resolvedSpend,
  spendAdjustment,
  unresolvedSpend,
} from "@bursar/contract/admin/unresolved-spend.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { readSpend, type SpendPlace } from "#src/spend/ledger/balances.sql.ts";
import { releaseUnresolved } from "#src/spend/ledger/release-unresolved.sql.ts";
import { type Listed, UNRESOLVED_RELEASE_MS } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { createSilentNode } from "#test/harness/unresolved-spend.ts";

type Item = z.output<typeof unresolvedSpend>;
type Resolved = z.output<typeof resolvedSpend>;
type Adjustment = z.output<typeof spendAdjustment>;

const LIST = "/v1/admin/unresolved_spend";
const HELD = 500_000_000n;

const test = base.extend("company", ({ h, org, workspaceId }) => {
  async function list(query = ""): Promise<Item[]> {
    const { status, body } = await org.admin.get<Listed<Item>>(LIST + query);
    expect(status).toBe(200);
    return body.data;
  }

  const resolve = (id: string, body: object, client = org.admin) =>
    client.post<Resolved>(`${LIST}/${id}/resolve`, { reason: "The invoice says so.", ...body });

  const adjustments = async () =>
    (await org.admin.get<Listed<Adjustment>>("/v1/admin/spend_adjustments")).body.data;

  /** Distinct values of the nine balances of the key, its workspace and the organization. */
  async function balances() {
    const { rows: places } = await sql<SpendPlace>`
      SELECT organization_id AS "organizationId", scope_type AS "scopeType", scope_id AS "scopeId", period,
        period_start AS "periodStart", CASE WHEN scope_type <> 'organization' THEN ${workspaceId} END AS "workspaceId"
      FROM balance WHERE organization_id = ${org.id}::uuid`.execute(h.deps.database);
    const rows = [...(await readSpend(h.deps.database, places)).values()];
    expect(rows).toHaveLength(9);
    const amounts = rows.map((row) => {
      return `${row.settledNanoUsd} ${row.unresolvedNanoUsd} ${row.overrunNanoUsd}`;
    });
    return [...new Set(amounts)];
  }

  async function expectBooksToAgree(): Promise<void> {
    expect(await listBalanceDifferences(h.deps.database)).toEqual([]);
    expect((await checkLedger(h.deps.database, org.id)).differences).toEqual([]);
  }

  return { list, resolve, adjustments, balances, expectBooksToAgree };
});

test("a request with an unknown outcome is listed once, with its maximum cost and release time", async ({
  h,
  org,
  workspaceId,
  apiKeyId,
  company,
}) => {
  const { requestId, id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
  expect(await company.list()).toEqual([
    {
      type: "unresolved_spend",
      id,
      kind: "request",
      request_id: requestId,
      node_id: "node_of_the_test",
      scope: {
        type: "api_key",
        id: apiKeyId,
        workspace_id: workspaceId,
        api_key_id: apiKeyId,
      },
      period: null,
      amount_usd: "0.50",
      since: new Date(h.clock.nowMs).toISOString(),
      releases_at: new Date(h.clock.nowMs + UNRESOLVED_RELEASE_MS).toISOString(),
    },
  ]);
});

test("pages list every item, newest first", async ({ h, org, workspaceId, apiKeyId, company }) => {
  const made: string[] = [];
  for (let i = 0; i < 5; i++) {
    h.clock.nowMs += i % 2;
    made.push((await org.createUnresolvedSpend(workspaceId, apiKeyId)).id);
  }
  const seen: string[] = [];
  let page = "";
  for (let pages = 0; pages < 4; pages++) {
    const { body } = await org.admin.get<Listed<Item>>(`${LIST}?limit=2${page}`);
    seen.push(...body.data.map(({ id }) => id));
    if (body.next_page === null) break;
    page = `&page=${encodeURIComponent(body.next_page)}`;
  }
  expect(seen).toHaveLength(5);
  expect(new Set(seen)).toEqual(new Set(made));
  expect(seen[0]).toBe((await company.list())[0]?.id);
});

describe("a release", () => {
  test("frees the amount in all balances, is audited, and removes the item", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
    company,
  }) => {
    const { id, requestId } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
    expect(await company.balances()).toEqual([`0 ${HELD} 0`]);
    const answer = await company.resolve(id, { decision: "release" });
    expect(answer.body).toEqual({
      type: "unresolved_spend_resolved",
      id,
      decision: "release",
      charged_usd: "0.00",
      adjustment_id: null,
    });
    expect(await company.balances()).toEqual(["0 0 0"]);
    expect(await company.list()).toEqual([]);
    expect(await company.adjustments()).toEqual([]);
    expect(await auditEventsOf(h.deps.database, id)).toMatchObject([
      {
        event: "unresolved_spend.resolved",
        workspace_id: workspaceId,
        before: { kind: "request", request_id: requestId, amount_usd: "0.50" },
        after: { decision: "release", reason: "The invoice says so.", charged_usd: "0.00" },
      },
    ]);
    await company.expectBooksToAgree();
  });

  test.for(["", "epoch:7"])(
    "frees a node's budget (%j)",
    async (requestId, { h, org, workspaceId, company }) => {
      const sinceMs = h.clock.nowMs;
      await createSilentNode(h.deps.database, {
        organizationId: org.id,
        workspaceId,
        sinceMs,
        requestId,
      });
      const [item] = await company.list();
      expect(item).toMatchObject({
        releases_at: new Date(Date.UTC(2026, 11, 1) + UNRESOLVED_RELEASE_MS).toISOString(),
        kind: requestId === "" ? "node" : "journal",
        request_id: null,
        period: "monthly",
        scope: { type: "workspace", workspace_id: workspaceId, api_key_id: null },
      });
      const charged = await company.resolve(item?.id ?? "", { decision: "charge" });
      expect(charged.status).toBe(400);
      expect(charged.error.message).toContain("no key to charge");
      expect((await company.resolve(item?.id ?? "", { decision: "release" })).status).toBe(200);
      expect(await company.list()).toEqual([]);
      await company.expectBooksToAgree();
    },
  );
});

describe("a charge", () => {
  test("without an amount settles the whole hold in all balances, and the ledger is correct", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
    company,
  }) => {
    const { id, requestId } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
    const { body } = await company.resolve(id, { decision: "charge" });
    expect(body).toMatchObject({ decision: "charge", charged_usd: "0.50" });
    expect(await company.balances()).toEqual([`${HELD} 0 0`]);
    expect(await company.adjustments()).toEqual([
      {
        type: "spend_adjustment",
        id: body.adjustment_id,
        workspace_id: workspaceId,
        api_key_id: apiKeyId,
        request_id: requestId,
        started_at: new Date(h.clock.nowMs).toISOString(),
        cost_usd: "0.50",
        reason: "The invoice says so.",
        created_at: expect.stringMatching(/Z$/),
      },
    ]);
    await company.expectBooksToAgree();
  });

  test.for([
    ["0.25", "250000000 0 0"],
    ["0.75", "750000000 0 250000000"],
    [0, "0 0 0"],
  ] as const)(
    "of %j records the amount above the hold as an overrun",
    async ([amount_usd, expected], { org, workspaceId, apiKeyId, company }) => {
      const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
      expect((await company.resolve(id, { decision: "charge", amount_usd })).status).toBe(200);
      expect(await company.balances()).toEqual([expected]);
      await company.expectBooksToAgree();
    },
  );

  test("counts in the periods in which the request began, also ended ones", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
    company,
  }) => {
    const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
    const nowMs = h.clock.nowMs;
    h.clock.nowMs += 40 * 86_400_000;
    expect((await company.resolve(id, { decision: "charge" })).status).toBe(200);
    h.clock.nowMs = nowMs;
    expect(await company.balances()).toEqual([`${HELD} 0 0`]);
    await company.expectBooksToAgree();
  });
});

test.for([
  [{ decision: "release", amount_usd: 1 }, "amount_usd: a release charges nothing"],
  [{ decision: "charge", amount_usd: -1 }, "amount_usd: "],
  [{ decision: "charge", amount_usd: 1_000_001 }, "amount_usd: expected at most 1000000"],
  [{ decision: "forget" }, "decision: "],
  [{ decision: "release", reason: "  " }, "reason: "],
] as const)(
  "refuses %j without a change",
  async ([body, message], { org, workspaceId, apiKeyId, company }) => {
    const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
    const answer = await company.resolve(id, body);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
    expect(await company.balances()).toEqual([`0 ${HELD} 0`]);
  },
);

test("of twenty concurrent decisions one succeeds, and the others get a 404", async ({
  org,
  workspaceId,
  apiKeyId,
  company,
}) => {
  const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      company.resolve(id, { decision: i % 2 ? "charge" : "release" }),
    ),
  );
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 404)]);
  expect(await company.list()).toEqual([]);
  await company.expectBooksToAgree();
});

test("a concurrent decision and timed release free the amount once", async ({
  h,
  org,
  workspaceId,
  apiKeyId,
  company,
}) => {
  const made = await Promise.all(
    Array.from({ length: 8 }, () => org.createUnresolvedSpend(workspaceId, apiKeyId)),
  );
  const atMs = h.clock.nowMs + UNRESOLVED_RELEASE_MS;
  await Promise.all([
    ...made.map(({ id }) => company.resolve(id, { decision: "charge" })),
    releaseUnresolved(h.deps.database, { afterMs: UNRESOLVED_RELEASE_MS, atMs }),
  ]);
  const charged = BigInt((await company.adjustments()).length);
  expect(await company.balances()).toEqual([`${charged * HELD} 0 0`]);
  await company.expectBooksToAgree();
});

test("another organization gets a 404, and the item stays", async ({
  h,
  org,
  workspaceId,
  apiKeyId,
  company,
}) => {
  const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
  const other = await h.organization();
  expect((await company.resolve(id, { decision: "release" }, other.admin)).status).toBe(404);
  expect((await other.admin.get<Listed<Item>>(LIST)).body.data).toEqual([]);
  expect((await company.list()).map((item) => item.id)).toEqual([id]);
});
