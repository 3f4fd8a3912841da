import { type CountColumn, countColumns, type LabelColumn } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import type { EndRecord } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import {
  isAttributedRollup,
  type RollupLabel,
  type RollupTable,
  type RollupUnit,
  rollupTables,
} from "#src/recording/rollup-tables.ts";
import { hashAttribution } from "#src/recording/usage-dictionary.ts";
import { toUsageEvent, type UsageEventRow } from "#src/recording/usage-rows.ts";
import { beginRecord, endRecord } from "./request-records.ts";

// Random requests, and the rollups that they should have.

const HOUR_MS = 3_600_000;
/** A Thursday. The requests after it fall into two weeks and two months, all of them in the past. */
export const FIRST_REQUEST_MS = Date.UTC(2026, 4, 28, 10, 30);

/** Requests of two organizations within some half hours. */
export const anyRecordWithin = (maxHalfHours: number): fc.Arbitrary<EndRecord> =>
  fc
    .record({
      organizationId: fc.constantFrom(
        ...[1, 2].map((n) => `00000000-0000-4000-8000-00000000000${n}`),
      ),
      startedAtMs: fc
        .integer({ min: 0, max: maxHalfHours })
        .map((halfHours) => FIRST_REQUEST_MS + halfHours * (HOUR_MS / 2)),
      apiKeyId: fc.constantFrom("apikey_1", "apikey_2"),
      workspaceId: fc.constantFrom("wksp_1", "wksp_2"),
      memberId: fc.constantFrom(undefined, "user_1", "user_2"),
      attribution: fc.constantFrom<Pick<EndRecord, "groupIds" | "tagIds">>(
        {},
        { tagIds: ["tag_1"] },
        { groupIds: ["group_1", "group_2"], tagIds: ["tag_1", "tag_2"] },
      ),
      httpStatus: fc.constantFrom(null, 200, 400, 429, 500, 529),
      model: fc.constantFrom("claude-sonnet-5", "claude-opus-5", `${"m".repeat(300)}`, "a\u0000b"),
      client: fc.constantFrom("curl", "other"),
      speed: fc.constantFrom("standard", "fast"),
      outcome: fc.constantFrom<EndRecord["outcome"]>("answered", "refused", "interrupted"),
      isEstimated: fc.boolean(),
      isUnpriced: fc.boolean(),
      hasUnbilledParts: fc.constantFrom(undefined, true as const),
      nanoUsd: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    })
    .map(
      ({
        memberId,
        attribution,
        outcome,
        httpStatus,
        model,
        speed,
        isEstimated,
        isUnpriced,
        hasUnbilledParts,
        nanoUsd,
        ...begun
      }) => {
        const begin = beginRecord({ ...begun, ...attribution });
        const marks = { isEstimated, isUnpriced, ...(hasUnbilledParts && { hasUnbilledParts }) };
        const rest = { outcome, httpStatus, model, speed, ...marks };
        return endRecord(memberId === undefined ? begin : { ...begin, memberId }, nanoUsd, rest);
      },
    );

export interface Sum extends Record<CountColumn, bigint> {
  key: string;
}

/** Bucket and labels of a row, as in the primary key of the rollup. */
export function keyOf(
  row: Pick<UsageEventRow, "organization_id" | Exclude<LabelColumn, "status">> & {
    status: string;
    attribution_id?: bigint;
  },
  atMs: number,
  labels: readonly RollupLabel[],
): string {
  return [atMs, row.organization_id, ...labels.map((label) => row[label])].join("\n");
}

function startOf(unit: RollupUnit, at: Date): number {
  const day = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()] as const;
  if (unit === "month") return Date.UTC(day[0], day[1]);
  if (unit === "week") return Date.UTC(day[0], day[1], day[2] - ((at.getUTCDay() + 6) % 7));
  if (unit === "minute") return Math.floor(at.getTime() / 60_000) * 60_000;
  return unit === "day" ? Date.UTC(...day) : Math.floor(at.getTime() / HOUR_MS) * HOUR_MS;
}

/** Adds up the records one by one. Weeks have requests before `weeksBeforeMs` only. */
export function sumUp(
  table: RollupTable,
  records: readonly EndRecord[],
  weeksBeforeMs: number,
): Sum[] {
  const { unit, labels } = rollupTables[table];
  const sums = new Map<string, Sum>();
  for (const record of records) {
    if (unit === "week" && record.startedAtMs >= weeksBeforeMs) continue;
    const status = requestStatus(record.outcome, record.httpStatus);
    const stored = toUsageEvent(record, "node_1");
    const event = { ...stored, status, attribution_id: hashAttribution(stored) };
    if (isAttributedRollup(table) && event.attribution_id === 0n) continue;
    const key = keyOf(event, startOf(unit, event.started_at), labels);
    const counts = {
      ...event,
      requests: 1n,
      errors: record.outcome === "answered" ? 0n : 1n,
      estimated_requests: record.isEstimated ? 1n : 0n,
      unpriced_requests: record.isUnpriced ? 1n : 0n,
      partly_unbilled_requests: event.has_unbilled_parts ? 1n : 0n,
    };
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { ...pickCounts(counts), key });
    else for (const column of countColumns) known[column] += counts[column];
  }
  return [...sums.values()].sort(byKey);
}

export function pickCounts(row: Record<CountColumn, bigint>): Record<CountColumn, bigint> {
  return Object.fromEntries(countColumns.map((column) => [column, row[column]])) as Record<
    CountColumn,
    bigint
  >;
}

export function byKey(a: Sum, b: Sum): number {
  return a.key < b.key ? -1 : 1;
}
