import fc from "fast-check";
import { expect, test } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import {
  type RollupUnit,
  rollupTableNames,
  rollupTables,
  type UsageLabel,
} from "./rollup-tables.ts";
import { type RollupRow, toRollups, toUsageEvent, type UsageEventRow } from "./usage-rows.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;

const anyRecord: fc.Arbitrary<EndRecord> = fc
  .record({
    startedAtMs: fc
      .integer({ min: 0, max: 400 })
      .map((halfHours) => SOME_TIME_MS + halfHours * (HOUR_MS / 2)),
    apiKeyId: fc.constantFrom("apikey_1", "apikey_2"),
    workspaceId: fc.constantFrom("wksp_1", "wksp_2"),
    memberId: fc.constantFrom(undefined, "user_1", "user_2"),
    httpStatus: fc.constantFrom(null, 200, 400, 429, 500, 529),
    model: fc.constantFrom("claude-sonnet-5", "claude-opus-5", `${"m".repeat(300)}`, "a\u0000b"),
    client: fc.constantFrom("curl", "other"),
    speed: fc.constantFrom("standard", "fast"),
    outcome: fc.constantFrom<EndRecord["outcome"]>("answered", "refused", "interrupted"),
    isEstimated: fc.boolean(),
    isUnpriced: fc.boolean(),
    nanoUsd: fc.bigInt({ min: 0n, max: 10n ** 12n }),
  })
  .map(({ startedAtMs, apiKeyId, workspaceId, memberId, client, nanoUsd, ...rest }) => {
    const begin = beginRecord({ startedAtMs, apiKeyId, workspaceId, client });
    return endRecord(memberId === undefined ? begin : { ...begin, memberId }, nanoUsd, rest);
  });

type Labelled = RollupRow | (UsageEventRow & { status: string });

/** Bucket and labels of a row, as the primary key of the rollup has them. */
function keyOf(row: Labelled, atMs: number, labels: readonly UsageLabel[]): string {
  return [atMs, row.organization_id, ...labels.map((label) => row[label])].join("\n");
}

function startOf(unit: RollupUnit, at: Date): number {
  const day = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()] as const;
  if (unit === "month") return Date.UTC(day[0], day[1]);
  if (unit === "week") return Date.UTC(day[0], day[1], day[2] - ((at.getUTCDay() + 6) % 7));
  if (unit === "minute") return Math.floor(at.getTime() / 60_000) * 60_000;
  return unit === "day" ? Date.UTC(...day) : Math.floor(at.getTime() / HOUR_MS) * HOUR_MS;
}

test("rollups hold one row per key, in key order, and add up to the events", () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 60 }), fc.nat(2), (records, weeks) => {
      const weeksBeforeMs = startOf("week", new Date(SOME_TIME_MS + weeks * WEEK_MS));
      const rollups = toRollups(records, weeksBeforeMs);
      const events = records.map((record) => ({
        ...toUsageEvent(record, "node_1"),
        status: requestStatus(record.outcome, record.httpStatus),
      }));
      for (const table of rollupTableNames) {
        const { unit, labels } = rollupTables[table];
        const rows = rollups[table];
        const keys = rows.map((row) => keyOf(row, row.bucket_at.getTime(), labels));
        expect(keys).toEqual([...new Set(keys)].sort());
        // Of weeks only what comes after they were summed up.
        const added =
          unit === "week"
            ? events.filter((event) => event.started_at.getTime() < weeksBeforeMs)
            : events;
        const byKey = Map.groupBy(added, (event) =>
          keyOf(event, startOf(unit, event.started_at), labels),
        );
        expect([...byKey.keys()].sort()).toEqual(keys);
        for (const [index, row] of rows.entries()) {
          const own = byKey.get(keys[index] ?? "") ?? [];
          const count = (is: (event: UsageEventRow) => boolean) => BigInt(own.filter(is).length);
          const sum = (of: (event: UsageEventRow) => bigint) =>
            own.reduce((total, event) => total + of(event), 0n);
          expect(row).toMatchObject({
            requests: BigInt(own.length),
            errors: count((event) => event.outcome !== "answered"),
            estimated_requests: count((event) => event.is_estimated),
            unpriced_requests: count((event) => event.is_unpriced),
            input_tokens: sum((event) => event.input_tokens),
            output_tokens: sum((event) => event.output_tokens),
            output_cost_nano_usd: sum((event) => event.output_cost_nano_usd),
            cost_nano_usd: sum((event) => event.cost_nano_usd),
          });
        }
      }
    }),
  );
});
