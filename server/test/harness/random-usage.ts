import type { getUsage } from "@bursar/contract/admin/usage.ts";
import { type ReportGroup, SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import { expect } from "vitest";
import type { z } from "zod";
import { formatUsd } from "#src/domain/money.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { noCost } from "#src/domain/usage.ts";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { findRollupProgress } from "#src/recording/open-hours.sql.ts";
import { sumWeek } from "#src/recording/weeks.sql.ts";
import { serverTest as base } from "./admin-test.ts";
import { endRecord, recordUsage } from "./usage-records.ts";

// A random history of requests, its reports over HTTP, and the sums that a report must have.

export type Report = z.output<(typeof getUsage)["response"]>;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Four months of history up to the test clock, with the end of summer time. */
export const START = Date.UTC(2026, 7, 1);
export const END = Date.UTC(2026, 10, 20);
/** Earlier batch requests are simulated. Reports from then on read the smaller rollups. */
const REAL_FROM = Date.UTC(2026, 8, 15);

export interface UsedKey {
  workspaceId: string;
  apiKeyId: string;
  /** Every second key has an owner. */
  memberId?: string;
}

export interface RandomUsage {
  records: EndRecord[];
  keys: UsedKey[];
}

export const test = base
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
  /** A history in which some hours are closed, one of them for one of its two keys. */
  .extend("recorded", { scope: "file" }, async ({ h, org, sumUp }): Promise<RandomUsage> => {
    const keys: UsedKey[] = [];
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
    const histories = randomHistories(org.id, keys);
    const records = fc.sample(histories, { numRuns: 1, seed: 7 }).flat();
    const { hourMs, apiKeyId } = findSharedHour(records);
    await sumUp({ from: START, to: START });
    await h.deps.database
      .updateTable("rollup_progress")
      .set({ hour_at: new Date(START) })
      .execute();
    await recordUsage(h.deps.database, records);
    await closeHoursBefore(h.deps.database, hourMs);
    await closeHoursBefore(h.deps.database, hourMs + HOUR_MS, { rowsPerStep: 1, maxSteps: 1 });
    expect(await findRollupProgress(h.deps.database)).toMatchObject({ hourMs, apiKeyId });
    await sumUp({ from: START, to: hourMs });
    return { records, keys };
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

function randomHistories(
  organizationId: string,
  keys: readonly UsedKey[],
): fc.Arbitrary<EndRecord[]> {
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
        organizationId,
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
}

/** Tags by id, in the order of the ids. */
export const tagNames = { tag_1: "cost_center", tag_2: "cost_center", tag_3: "team" };
const attributions: Pick<EndRecord, "groupIds" | "tagIds">[] = [
  {},
  { tagIds: ["tag_1"] },
  { tagIds: ["tag_3"] },
  { groupIds: ["group_1"], tagIds: ["tag_1", "tag_3"] },
  { groupIds: ["group_1", "group_2"], tagIds: ["tag_2"] },
];

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

export const labelOf = {
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

export const iso = (ms: number) => new Date(ms).toISOString();

/** Requests, cost, and the simulated part of the cost. */
export type Sums = [requests: number, cost: string, simulated: string];
export const noSums: Sums = [0, "0.00", "0.00"];

interface SumsBy {
  range: { startMs: number; endMs: number };
  groups: readonly ReportGroup[];
  /** Null: one bucket. */
  bucketMs: number | null;
}

/** Sums of records by bucket and group. */
export function sumRecords(
  records: readonly EndRecord[],
  { range, groups, bucketMs }: SumsBy,
): Map<string, Sums> {
  const sums = new Map<string, [number, bigint, bigint]>();
  for (const record of records) {
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

/** Sums of a report by bucket and group. */
export function sumsOf(report: Report, groups: readonly ReportGroup[]) {
  return new Map(
    report.data.map((row) => {
      const labels = groups.map((group) => (row as Record<string, unknown>)[fieldOf(group)]);
      const { requests, cost_usd, simulated_cost_usd } = row;
      const key = [row.starting_at, ...labels].join("|");
      return [key, [requests, cost_usd, simulated_cost_usd]] as const;
    }),
  );
}
