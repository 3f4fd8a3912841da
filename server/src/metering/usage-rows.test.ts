import fc from "fast-check";
import { expect, test } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { type RollupRow, toRollups, toUsageEvent, type UsageEventRow } from "./usage-rows.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const labels = [
  "organization_id",
  "workspace_id",
  "api_key_id",
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
  "client",
] as const satisfies (keyof RollupRow)[];

const anyRecord: fc.Arbitrary<EndRecord> = fc
  .record({
    startedAtMs: fc
      .integer({ min: 0, max: 50 })
      .map((halfHours) => SOME_TIME_MS + halfHours * (HOUR_MS / 2)),
    apiKeyId: fc.constantFrom("apikey_1", "apikey_2"),
    model: fc.constantFrom("claude-sonnet-5", "claude-opus-5", `${"m".repeat(300)}`, "a\u0000b"),
    client: fc.constantFrom("curl", "other"),
    speed: fc.constantFrom("standard", "fast"),
    outcome: fc.constantFrom<EndRecord["outcome"]>("answered", "refused", "interrupted"),
    isEstimated: fc.boolean(),
    isUnpriced: fc.boolean(),
    nanoUsd: fc.bigInt({ min: 0n, max: 10n ** 12n }),
  })
  .map(({ startedAtMs, apiKeyId, client, nanoUsd, ...rest }) =>
    endRecord(beginRecord({ startedAtMs, apiKeyId, client }), nanoUsd, rest),
  );

/** Bucket and labels of a row, as the primary key of the rollups has them. */
function keyOf(row: UsageEventRow | RollupRow, atMs: number): string {
  return [atMs, ...labels.map((label) => row[label])].join("\n");
}

test("rollups hold one row per key, in key order, and add up to the events", () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 60 }), (records) => {
      const { hours, days } = toRollups(records);
      const events = records.map((record) => toUsageEvent(record, "node_1"));
      for (const [rows, bucketMs] of [[hours, HOUR_MS] as const, [days, DAY_MS] as const]) {
        const keys = rows.map((row) => keyOf(row, row.bucket_at.getTime()));
        expect(keys).toEqual([...new Set(keys)].sort());
        const byKey = Map.groupBy(events, (event) =>
          keyOf(event, Math.floor(event.started_at.getTime() / bucketMs) * bucketMs),
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
