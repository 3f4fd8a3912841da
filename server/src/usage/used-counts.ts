import {
  type AmountColumn,
  costParts,
  type MeasureColumn,
  tokenMeasures,
  toRecord,
  useMeasures,
} from "@bursar/contract/usage-shape.ts";
import { formatUsd } from "#src/domain/money.ts";

// Counts and costs on the wire, for rows of reports and for single requests.

type Counts = Readonly<Record<MeasureColumn, bigint>>;

export function toUsedCounts(row: Counts) {
  return {
    ...toRecord(tokenMeasures, "column", ({ column }) => Number(row[column])),
    total_tokens: Number(totalTokens(row)),
    ...toRecord(useMeasures, "column", ({ column }) => Number(row[column])),
  };
}

export function toCostBreakdown(row: Readonly<Record<AmountColumn, bigint>>) {
  return toRecord(costParts, "part", ({ column }) => formatUsd(row[column]));
}

export function totalTokens(row: Counts): bigint {
  return tokenMeasures.reduce((sum, { column }) => sum + row[column], 0n);
}
