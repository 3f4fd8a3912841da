import type { getUsage } from "@bursar/contract/admin/usage.ts";
import { type ReportGroup, reportGroups, SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { ScopeType } from "#src/db/tables.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { noCost } from "#src/domain/usage.ts";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { findRollupProgress } from "#src/recording/open-hours.sql.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import { sumWeek } from "#src/recording/weeks.sql.ts";
import { readSpendOf } from "#src/spend/ledger/balances.sql.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { countPropertyRuns } from "#test/harness/property-runs.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

// Random histories in every kind of report, compared with a sum of the records.

type Report = z.output<(typeof getUsage)["response"]>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Four months of history up to the test clock, with the end of summer time. */
const START = Date.UTC(2026, 7, 1);
const END = Date.UTC(2026, 10, 20);
/** Earlier batch requests are simulated. Reports from then on read the smaller rollups. */
const REAL_FROM = Date.UTC(2026, 8, 15);

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  /** Sums the whole weeks of the history. The last days stay days. */
  .extend(
    "sumUp",
    { scope: "file" },
    ({ h }) =>
      async ({ from, to }: { from: number; to: number }): Promise<void> => {
        await h.deps.database.transaction().execute(async (tx) => {
          let { startMs, endMs } = periodOf("weekly", from);
          await tx
            .updateTable("usage_weeks")
            .set({ summed_before: new Date(startMs) })
            .execute();
          for (; endMs <= to; { startMs, endMs } = periodOf("weekly", endMs)) {
            await sumWeek(tx, new Date(startMs));
          }
        });
      },
  )
  .extend("history", { scope: "file" }, ({ org }) => (): fc.Arbitrary<EndRecord[]> => {
    // Errors in sums occur at edges of hours, days and months.
    const hours = (END - START) / HOUR_MS;
    const at = fc
      .tuple(fc.integer({ min: 0, max: hours - 1 }), fc.constantFrom(0, 1, HOUR_MS - 1, 1_234_567))
      .map(([hour, ms]) => START + hour * HOUR_MS + ms);
    const one = fc.record({
      key: fc.integer({ min: 0, max: 5 }),
      startedAtMs: at,
      model: fc.constantFrom("claude-sonnet-5", "claude-opus-5", "a 'quoted' model; --"),
      outcome: fc.constantFrom<EndRecord["outcome"]>("answered", "refused", "aborted"),
      httpStatus: fc.constantFrom(200, 400, 429, 529),
      client: fc.constantFrom("curl", "claude-code"),
      serviceTier: fc.constantFrom("standard", "batch"),
      speed: fc.constantFrom("standard", "fast"),
      inferenceGeo: fc.constantFrom("global", "us"),
      contextWindow: fc.constantFrom<EndRecord["contextWindow"]>("0-200k", "200k-1M"),
      attribution: fc.constantFrom(...attributions),
      nanoUsd: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    });
    return fc.array(one, { minLength: 400, maxLength: 400 }).map((all) =>
      all.map(({ key, nanoUsd, startedAtMs, attribution, serviceTier, ...rest }, index) =>
        endRecord({
          requestId: `req_${index}`,
          organizationId: org.id,
          startedAtMs,
          ...(keys[key] ?? { workspaceId: "", apiKeyId: "" }),
          ...rest,
          serviceTier:
            serviceTier === "batch" && startedAtMs < REAL_FROM ? SIMULATED_TIER : serviceTier,
          ...attribution,
          cost: { ...noCost, input: nanoUsd, total: nanoUsd },
        }),
      ),
    );
  })
  .extend("allPages", ({ org }) => async (query: string): Promise<Report> => {
    const data: Report["data"] = [];
    let page = "";
    for (;;) {
      const answer = await org.admin.get<Report>(`/v1/admin/usage?${query}&limit=100&page=${page}`);
      expect(answer.error.message).toBe("");
      data.push(...answer.body.data);
      if (answer.body.next_page === null) return { ...answer.body, data };
      page = answer.body.next_page;
    }
  });

/** Tags by id, in the order of the ids. */
const tagNames = { tag_1: "cost_center", tag_2: "cost_center", tag_3: "team" };
const attributions: Pick<EndRecord, "groupIds" | "tagIds">[] = [
  {},
  { tagIds: ["tag_1"] },
  { tagIds: ["tag_3"] },
  { groupIds: ["group_1"], tagIds: ["tag_1", "tag_3"] },
  { groupIds: ["group_1", "group_2"], tagIds: ["tag_2"] },
];

let records: EndRecord[];
const keys: { workspaceId: string; apiKeyId: string; memberId?: string }[] = [];

test.beforeAll(async ({ h, org, sumUp, history }) => {
  const member = await org.member();
  for (let i = 0; i < 3; i++) {
    const { id: workspaceId } = await org.admin.createWorkspace();
    for (let j = 0; j < 2; j++) {
      const { id: apiKeyId } = await org.admin.createApiKey(workspaceId);
      keys.push({ workspaceId, apiKeyId, ...(j === 0 && { memberId: member.id }) });
    }
  }
  for (const [id, name] of Object.entries(tagNames)) {
    const tag = { id, organization_id: org.id, name, value: id };
    await h.deps.database.insertInto("tag").values(tag).execute();
  }
  records = fc.sample(history(), { numRuns: 1, seed: 7 }).flat();
  const { hourMs, apiKeyId } = findSharedHour(records);
  await sumUp({ from: START, to: START });
  await h.deps.database
    .updateTable("rollup_progress")
    .set({ hour_at: new Date(START) })
    .execute();
  await recordUsage(h.deps.database, records);
  // One of the two keys of this hour is closed.
  await closeHoursBefore(h.deps.database, hourMs);
  await closeHoursBefore(h.deps.database, hourMs + HOUR_MS, { rowsPerStep: 1, maxSteps: 1 });
  expect(await findRollupProgress(h.deps.database)).toMatchObject({ hourMs, apiKeyId });
  await sumUp({ from: START, to: hourMs });
});

/** Finds an hour of October in which two keys of different workspaces were used, and the first of them. */
function findSharedHour(all: readonly EndRecord[]): { hourMs: number; apiKeyId: string } {
  const hourOf = (record: EndRecord) => Math.floor(record.startedAtMs / HOUR_MS) * HOUR_MS;
  const hours = Map.groupBy(all, hourOf);
  for (const [hourMs, inHour] of hours) {
    const [first, second] = inHour.toSorted((a, b) => (a.workspaceId < b.workspaceId ? -1 : 1));
    if (new Date(hourMs).getUTCMonth() !== 9 || first?.workspaceId === second?.workspaceId)
      continue;
    if (first !== undefined && second !== undefined) return { hourMs, apiKeyId: first.apiKeyId };
  }
  throw new Error("the history has no such hour");
}

const labelOf = {
  workspace: (record) => record.workspaceId,
  api_key: (record) => record.apiKeyId,
  member: (record) => record.memberId ?? null,
  model: (record) => record.model,
  service_tier: (record) => record.serviceTier,
  context_window: (record) => record.contextWindow,
  inference_geo: (record) => record.inferenceGeo,
  speed: (record) => record.speed,
  client: (record) => record.client,
  status: (record) => requestStatus(record.outcome, record.httpStatus),
  group: (record) => record.groupIds ?? null,
  tag: (record) => record.tagIds ?? null,
} as const satisfies Record<ReportGroup, (record: EndRecord) => string | readonly string[] | null>;

const isLimited = (record: EndRecord) =>
  labelOf.status(record) === "rate_limited" && record.model === "claude-opus-5";

const fieldOf = (group: ReportGroup) =>
  ["workspace", "api_key", "member", "group", "tag"].includes(group)
    ? (`${group}_id` as const)
    : group;

/** Values of all groups of a record: one for each row that counts it. */
function listKeys(record: EndRecord, groups: readonly ReportGroup[]): (string | null)[][] {
  return groups.reduce<(string | null)[][]>(
    (keys, group) => {
      const values = [labelOf[group](record)].flat();
      return keys.flatMap((key) => values.map((value) => [...key, value]));
    },
    [[]],
  );
}

const iso = (ms: number) => new Date(ms).toISOString();

/** Requests, cost, and the simulated part of the cost. */
type Sums = [requests: number, cost: string, simulated: string];
const noSums: Sums = [0, "0.00", "0.00"];

/** Expected sums by bucket and group. */
function expected(
  range: { startMs: number; endMs: number },
  groups: readonly ReportGroup[],
  bucketMs: number | null,
  of: readonly EndRecord[] = records,
): Map<string, Sums> {
  const sums = new Map<string, [number, bigint, bigint]>();
  for (const record of of) {
    if (record.startedAtMs < range.startMs || record.startedAtMs >= range.endMs) continue;
    const atMs =
      bucketMs === null ? range.startMs : Math.floor(record.startedAtMs / bucketMs) * bucketMs;
    for (const values of listKeys(record, groups)) {
      const key = [iso(atMs), ...values].join("|");
      const [requests, cost, simulated] = sums.get(key) ?? [0, 0n, 0n];
      const { total } = record.cost;
      const part = record.serviceTier === SIMULATED_TIER ? total : 0n;
      sums.set(key, [requests + 1, cost + total, simulated + part]);
    }
  }
  return new Map(
    [...sums].map(([key, [requests, ...costs]]) => {
      const [cost, simulated] = costs.map(formatUsd) as [string, string];
      return [key, [requests, cost, simulated]];
    }),
  );
}

function found(report: Report, groups: readonly ReportGroup[]) {
  return new Map(
    report.data.map((row) => {
      const labels = groups.map((group) => (row as Record<string, unknown>)[fieldOf(group)]);
      const { requests, cost_usd, simulated_cost_usd } = row;
      const key = [row.starting_at, ...labels].join("|");
      return [key, [requests, cost_usd, simulated_cost_usd]] as const;
    }),
  );
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
