import { type ReportGroup, reportGroups } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import { describe, expect } from "vitest";
import type { ScopeType } from "#src/db/tables.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import { readSpendOf } from "#src/spend/ledger/balances.sql.ts";
import { countPropertyRuns } from "#test/harness/property-runs.ts";
import {
  DAY_MS,
  END,
  sumsOf as found,
  HOUR_MS,
  iso,
  labelOf,
  noSums,
  type Report,
  START,
  type Sums,
  sumRecords,
  tagNames,
  test,
  type UsedKey,
} from "#test/harness/random-usage.ts";

// Random histories in every kind of report, compared with a sum of the records.

let records: EndRecord[];
let keys: UsedKey[];

test.beforeAll(({ recorded }) => {
  ({ records, keys } = recorded);
});

const isLimited = (record: EndRecord) =>
  labelOf.status(record) === "rate_limited" && record.model === "claude-opus-5";

/** Expected sums by bucket and group. */
function expected(
  range: { startMs: number; endMs: number },
  groups: readonly ReportGroup[],
  bucketMs: number | null,
  of: readonly EndRecord[] = records,
): Map<string, Sums> {
  return sumRecords(of, { range, groups, bucketMs });
}

describe.for(["open", "closed"])("while the last hours are %s", (hours) => {
  test.beforeAll(async ({ h, sumUp }) => {
    if (hours === "open") return;
    await closeHoursBefore(h.deps.database, END + DAY_MS);
    await sumUp({ from: START, to: START });
    await h.deps.database.transaction().execute(async (tx) => {
      for (const table of ["usage_week", "usage_key_week", "usage_member_week"] as const) {
        await tx.deleteFrom(table).execute();
      }
    });
    await sumUp({ from: START, to: END });
  });

  describe("every report equals the sum of its requests", () => {
    const edge = fc
      .integer({ min: 0, max: (END - START) / HOUR_MS })
      .map((n) => START + n * HOUR_MS);
    const question = fc.record({
      a: edge,
      b: edge,
      groups: fc.subarray([...reportGroups]),
      bucket: fc.constantFrom("none", "1d", "1h") as fc.Arbitrary<"none" | "1d" | "1h">,
      orderBy: fc.constantFrom("time", "cost", "requests"),
      order: fc.constantFrom("asc", "desc"),
    });

    test("for any groups, buckets, range and order", async ({ allPages }) => {
      await fc.assert(
        fc.asyncProperty(question, async ({ a, b, groups, bucket, orderBy, order }) => {
          fc.pre(a !== b && (bucket !== "1h" || Math.abs(a - b) <= 31 * DAY_MS));
          const bucketMs = { none: HOUR_MS, "1d": DAY_MS, "1h": HOUR_MS }[bucket];
          const range = {
            startMs: Math.floor(Math.min(a, b) / bucketMs) * bucketMs,
            endMs: Math.ceil(Math.max(a, b) / bucketMs) * bucketMs,
          };
          const report = await allPages(
            `starting_at=${iso(Math.min(a, b))}&ending_at=${iso(Math.max(a, b))}&bucket=${bucket}` +
              `&group_by=${groups.join(",")}&order_by=${orderBy}&order=${order}`,
          );
          const wanted = expected(range, groups, bucket === "none" ? null : bucketMs);
          expect(found(report, groups)).toEqual(wanted);
          expect(report.data.length).toBe(wanted.size);
          const { requests, cost_usd, simulated_cost_usd } = report.totals;
          const [whole = noSums] = expected(range, [], null).values();
          expect([requests, cost_usd, simulated_cost_usd]).toEqual(whole);
          const isOverlapping = groups.includes("group") || groups.includes("tag");
          expect(report.has_overlapping_rows).toBe(isOverlapping);
          const values = report.data.map((row) =>
            orderBy === "requests"
              ? BigInt(row.requests)
              : orderBy === "cost"
                ? parseUsd(row.cost_usd)
                : BigInt(Date.parse(row.starting_at)),
          );
          const sorted = values.toSorted((x, y) => (x < y ? -1 : x > y ? 1 : 0));
          expect(values).toEqual(order === "desc" ? sorted.toReversed() : sorted);
        }),
        { numRuns: countPropertyRuns(60), seed: 11 },
      );
    });

    test("filtered by members, keys or workspaces", async ({ allPages }) => {
      const wanted: [string, (record: EndRecord) => boolean][] = [
        [`member_id=${keys[0]?.memberId}`, (record) => record.memberId !== undefined],
        [`api_key_id=${keys[1]?.apiKeyId}`, (record) => record.apiKeyId === keys[1]?.apiKeyId],
        [`workspace_id=${keys[2]?.workspaceId}`, (r) => r.workspaceId === keys[2]?.workspaceId],
        ["status=rate_limited&model=claude-opus-5", (record) => isLimited(record)],
      ];
      const range = { startMs: START + 10 * DAY_MS + 5 * HOUR_MS, endMs: END - 3 * HOUR_MS };
      for (const [filter, isWanted] of wanted) {
        for (const groups of [["api_key"], ["member", "model"], ["workspace"]] as const) {
          const report = await allPages(
            `starting_at=${iso(range.startMs)}&ending_at=${iso(range.endMs)}&bucket=none&order_by=cost` +
              `&group_by=${groups.join(",")}&${filter}`,
          );
          const sums = expected(range, groups, null, records.filter(isWanted));
          expect(found(report, groups)).toEqual(sums);
        }
      }
    });

    test("split by the tags of one name, with the rest in one row", async ({ allPages }) => {
      const range = { startMs: START + 3 * DAY_MS + 7 * HOUR_MS, endMs: END };
      const query = `starting_at=${iso(range.startMs)}&ending_at=${iso(END)}&group_by=tag,workspace&tag_name=cost_center`;
      const isCostCenter = (id: string) => id === "tag_1" || id === "tag_2";
      const ofName = records.map((record) => {
        const tagIds = record.tagIds?.filter(isCostCenter) ?? [];
        const { tagIds: _, ...rest } = record;
        return tagIds.length === 0 ? rest : { ...rest, tagIds };
      });
      for (const bucket of ["none", "1d"]) {
        const report = await allPages(`${query}&bucket=${bucket}`);
        const bucketMs = bucket === "none" ? null : DAY_MS;
        const from = bucket === "none" ? range : { ...range, startMs: START + 3 * DAY_MS };
        expect(found(report, ["workspace", "tag"])).toEqual(
          expected(from, ["workspace", "tag"], bucketMs, ofName),
        );
        expect(report.has_overlapping_rows).toBe(false);
        const sum = report.data.reduce((total, row) => total + parseUsd(row.cost_usd), 0n);
        expect(report.totals.cost_usd).toBe(formatUsd(sum));
        expect(report.data.find((row) => row.tag_id === "tag_2")).toMatchObject({
          tag_name: "cost_center",
          tag_value: "tag_2",
          group_id: null,
        });
      }
    });

    test("filtered by groups and tags", async ({ allPages }) => {
      const has = (ids: readonly string[] | undefined, id: string) => ids?.includes(id) ?? false;
      const wanted: [string, (record: EndRecord) => boolean][] = [
        ["group_id=group_1", (record) => has(record.groupIds, "group_1")],
        ["tag_id=tag_1,tag_2", ({ tagIds: ids }) => has(ids, "tag_1") || has(ids, "tag_2")],
        ["without_tag=cost_center", ({ tagIds: ids }) => !has(ids, "tag_1") && !has(ids, "tag_2")],
        ["group_id=group_2&without_tag=team", (record) => has(record.groupIds, "group_2")],
        [
          "group_id=group_1&model=claude-opus-5",
          (r) => has(r.groupIds, "group_1") && r.model === "claude-opus-5",
        ],
        ["tag=team:none", () => false],
      ];
      const range = { startMs: START + 10 * DAY_MS + 5 * HOUR_MS, endMs: END - 3 * HOUR_MS };
      for (const [filter, isWanted] of wanted) {
        for (const groups of [[], ["api_key"], ["model", "group"]] as const) {
          const report = await allPages(
            `starting_at=${iso(range.startMs)}&ending_at=${iso(range.endMs)}&bucket=none&order_by=cost` +
              `&group_by=${groups.join(",")}&${filter}`,
          );
          const matching = records.filter(isWanted);
          expect(found(report, groups)).toEqual(expected(range, groups, null, matching));
          const [[requests] = noSums] = expected(range, [], null, matching).values();
          expect(report.totals.requests).toBe(requests);
        }
      }
    });

    test("by minute, from stored sums and from older requests", async ({ allPages }) => {
      const MINUTE_MS = 60_000;
      // A day whose sums by minute are deleted, and the last days with such sums.
      const days = [START + 3 * DAY_MS, ...[1, 2, 3, 4, 5].map((ago) => END - ago * DAY_MS)];
      for (const startMs of days) {
        const range = { startMs, endMs: startMs + DAY_MS };
        for (const groups of [[], ["model", "status"], ["workspace", "model"], ["tag"]] as const) {
          const query = `starting_at=${iso(startMs)}&ending_at=${iso(range.endMs)}&bucket=1m`;
          const report = await allPages(`${query}&group_by=${groups.join(",")}`);
          expect(found(report, groups)).toEqual(expected(range, groups, MINUTE_MS));
          const [[requests] = noSums] = expected(range, [], null).values();
          expect(report.totals.requests).toBe(requests);
        }
      }
    });

    test("the first groups and the others add up to the total of each bucket", async ({
      allPages,
    }) => {
      for (const [groups, bucket] of [
        ["api_key", "1d"],
        ["workspace,model", "none"],
        ["member", "1d"],
        ["status,client,speed", "1d"],
      ] as const) {
        const query = `starting_at=${iso(START + DAY_MS)}&ending_at=${iso(END)}&bucket=${bucket}`;
        const all = await allPages(query);
        const top = await allPages(`${query}&group_by=${groups}&top=2`);
        const sums = Map.groupBy(top.data, (row) => row.starting_at);
        expect([...sums.keys()]).toEqual(all.data.map((row) => row.starting_at));
        for (const row of all.data) {
          const own = sums.get(row.starting_at) ?? [];
          expect(own.filter((each) => each.is_other).length).toBeLessThanOrEqual(1);
          expect(own.length).toBeLessThanOrEqual(3);
          for (const amount of ["cost_usd", "simulated_cost_usd"] as const) {
            const cost = own.reduce((sum, each) => sum + parseUsd(each[amount]), 0n);
            expect(formatUsd(cost)).toBe(row[amount]);
          }
          expect(own.reduce((sum, each) => sum + each.requests, 0)).toBe(row.requests);
        }
        expect(top.totals).toEqual(all.totals);
      }
    });

    test("the first tags and the others add up to the sum of all rows", async ({ allPages }) => {
      const query = `starting_at=${iso(START + DAY_MS)}&ending_at=${iso(END)}&group_by=tag,group`;
      for (const bucket of ["1d", "none"]) {
        const all = await allPages(`${query}&bucket=${bucket}`);
        const top = await allPages(`${query}&bucket=${bucket}&top=2`);
        const sum = ({ data }: Report) =>
          data.reduce((total, row) => total + parseUsd(row.cost_usd), 0n);
        expect(sum(top)).toBe(sum(all));
        expect(top.totals).toEqual(all.totals);
        expect(top.data.filter((row) => row.is_other).length).toBeGreaterThan(0);
      }
    });

    test("the most expensive groups are first", async ({ allPages }) => {
      const query = `starting_at=${iso(START)}&ending_at=${iso(END)}&bucket=none&group_by=api_key`;
      const all = await allPages(query);
      const top = await allPages(`${query}&top=3`);
      expect(top.data.slice(0, 3)).toEqual(all.data.slice(0, 3));
      expect(top.data.at(-1)).toMatchObject({
        is_other: true,
        api_key_id: null,
        api_key_name: null,
      });
    });
  });

  test("reports add up to the spend of every scope and period, to the nano-dollar", async ({
    h,
    org,
  }) => {
    const shared = (scopeType: ScopeType, scopeId = "") => ({
      ...{ scopeType, scopeId, workspaceId: null },
      filter: `&${scopeType}_id=${scopeId}`,
    });
    const scopes: (Omit<ReturnType<typeof shared>, "workspaceId"> & {
      workspaceId: string | null;
    })[] = [
      { ...shared("organization", org.id), filter: "" },
      ...[...new Set(keys.map((key) => key.workspaceId))].map((workspaceId) => ({
        ...shared("workspace", workspaceId),
        workspaceId,
      })),
      ...keys.map(({ workspaceId, apiKeyId }) => ({ ...shared("api_key", apiKeyId), workspaceId })),
      shared("member", keys[0]?.memberId),
      ...["group_1", "group_2"].map((id) => shared("group", id)),
      ...Object.keys(tagNames).map((id) => shared("tag", id)),
    ];
    for (const period of ["daily", "weekly", "monthly"] as const) {
      for (const atMs of [START, END - 1, START + 45 * DAY_MS]) {
        const { start, startMs, endMs } = periodOf(period, atMs);
        for (const { scopeType, scopeId, filter, workspaceId } of scopes) {
          const { settledNanoUsd } = await readSpendOf(h.deps.database, {
            organizationId: org.id,
            workspaceId,
            scopeType,
            scopeId,
            period,
            periodStart: start,
          });
          const range = `starting_at=${iso(startMs)}&ending_at=${iso(endMs)}`;
          for (const bucket of ["none", "1d"]) {
            const { body } = await org.admin.get<Report>(
              `/v1/admin/usage?${range}&bucket=${bucket}${filter}`,
            );
            expect(body.totals.cost_usd).toBe(formatUsd(settledNanoUsd));
          }
        }
      }
    }
  });

  test("a range that ends now or later has the rows of one that ends with the last request", async ({
    allPages,
  }) => {
    for (const groups of ["", "api_key", "workspace,model", "model"]) {
      const query = `starting_at=${iso(START + 20 * DAY_MS + HOUR_MS)}&group_by=${groups}&bucket=none`;
      const closed = await allPages(`${query}&ending_at=${iso(END)}`);
      for (const end of ["", `&ending_at=${iso(END + 40 * DAY_MS)}`]) {
        const open = await allPages(query + end);
        expect(open.totals).toEqual(closed.totals);
        const measured = (report: Report) => report.data.map(({ ending_at: _, ...row }) => row);
        expect(measured(open)).toEqual(measured(closed));
      }
    }
  });

  test("the rollups verify", async ({ h }) => {
    expect(await listRollupDifferences(h.deps.database)).toEqual([]);
  });
});
