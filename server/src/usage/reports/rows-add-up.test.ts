import type { getUsage } from "@bursar/contract/admin/usage.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { ScopeType } from "#src/db/tables.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { noCost } from "#src/domain/usage.ts";
import { readSpendOf } from "#src/spend/ledger/balances.sql.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

// Rows of one month by person, group, tag and workspace, compared with the ledger.

type Report = z.output<(typeof getUsage)["response"]>;
type Row = Report["data"][number];

interface Split {
  scopeType: "member" | "group" | "tag" | "workspace";
  query: string;
  /** Dollars of the row without a person, group or tag. Null: each request has a workspace. */
  restUsd: string | null;
}

const USD = 1_000_000_000n;

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend("spendOf", { scope: "file" }, ({ h, org }) => async (type: ScopeType, id: string) => {
    const period = "monthly" as const;
    const { settledNanoUsd } = await readSpendOf(h.deps.database, {
      ...{ organizationId: org.id, scopeType: type, scopeId: id, workspaceId: null },
      ...{ period, periodStart: periodOf(period, h.clock.nowMs).start },
    });
    return settledNanoUsd;
  });

test.beforeAll(async ({ h, org }) => {
  const { database } = h.deps;
  const member = await org.member();
  for (const [id, name] of Object.entries({
    tag_a: "cost_center",
    tag_b: "cost_center",
    tag_c: "team",
  })) {
    await database
      .insertInto("tag")
      .values({ id, organization_id: org.id, name, value: id })
      .execute();
  }
  const makeKey = async () => {
    const { id: workspaceId } = await org.admin.createWorkspace();
    return { workspaceId, apiKeyId: (await org.admin.createApiKey(workspaceId)).id };
  };
  const [first, second] = [await makeKey(), await makeKey()];
  const owned = { ...first, memberId: member.id };
  const requests = [
    { ...owned, groupIds: ["group_a", "group_b"], tagIds: ["tag_a", "tag_c"], usd: 1n },
    { ...owned, groupIds: ["group_b"], usd: 2n },
    { ...owned, usd: 4n },
    { ...second, tagIds: ["tag_b"], usd: 8n },
    { ...second, tagIds: ["tag_c"], usd: 16n },
    { ...second, usd: 32n },
  ];
  const records = requests.map(({ usd, ...request }, index) =>
    endRecord({
      requestId: `req_${index}`,
      organizationId: org.id,
      startedAtMs: h.clock.nowMs - 3_600_000,
      ...request,
      cost: { ...noCost, input: usd * USD, total: usd * USD },
    }),
  );
  await recordUsage(database, records);
});

const splits: Split[] = [
  { scopeType: "member", query: "group_by=member", restUsd: "56.00" },
  { scopeType: "workspace", query: "group_by=workspace", restUsd: null },
  { scopeType: "tag", query: "group_by=tag&tag_name=cost_center", restUsd: "54.00" },
  { scopeType: "group", query: "group_by=group", restUsd: "60.00" },
];

test.for(splits)(
  "spend by $scopeType is the ledger's of each row, and the rest is one row",
  async ({ scopeType, query, restUsd }, { org, spendOf }) => {
    const range = "starting_at=2026-11-01T00:00:00Z&ending_at=2026-12-01T00:00:00Z";
    const { body } = await org.admin.get<Report>(`/v1/admin/usage?${range}&bucket=none&${query}`);
    const idOf = (row: Row) => row[`${scopeType}_id`];
    const named = body.data.filter((row) => idOf(row) !== null);
    expect(named.length).toBeGreaterThan(0);
    for (const row of named) {
      const spend = await spendOf(scopeType, idOf(row) ?? "");
      expect([idOf(row), row.cost_usd]).toEqual([idOf(row), formatUsd(spend)]);
    }
    const rest = body.data.filter((row) => idOf(row) === null).map((row) => row.cost_usd);
    expect(rest).toEqual(restUsd === null ? [] : [restUsd]);
    const total = await spendOf("organization", org.id);
    expect(body.totals.cost_usd).toBe(formatUsd(total));
    const sum = body.data.reduce((usd, row) => usd + parseUsd(row.cost_usd), 0n);
    // The request of $1 is in two groups, and in the rows of both.
    const twice = scopeType === "group" ? USD : 0n;
    expect([sum, body.has_overlapping_rows]).toEqual([total + twice, twice > 0n]);
  },
);
