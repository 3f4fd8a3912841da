import { costParts } from "@bursar/contract/usage-shape.ts";
import { type CostChange, explainChange, type ProductUsage } from "./explain-change.rule.ts";
import {
  type PriceLabel,
  type ProductRow,
  priceLabels,
  type StatementAmounts,
  type StatementTotals,
} from "./statement-shape.rule.ts";

// Sums of a statement from its lines by product.

/** Amount to pay: list cost, adjustments and earlier months, minus the discount. Nano-USD. */
export function netOf(of: StatementAmounts): bigint {
  return (
    of.list_cost_nano_usd + of.adjustments_nano_usd + of.earlier_nano_usd - of.discount_nano_usd
  );
}

/** Adds up the lines of a statement. `month` is its first day. */
export function sumTotals(month: string, rows: readonly ProductRow[]): StatementTotals {
  const totals: StatementTotals = {
    list_cost_nano_usd: 0n,
    adjustments_nano_usd: 0n,
    earlier_nano_usd: 0n,
    discount_nano_usd: 0n,
    requests: 0n,
    unpriced_requests: 0n,
    partly_unbilled_requests: 0n,
    simulated_requests: 0n,
    simulated_cost_nano_usd: 0n,
  };
  for (const row of rows) {
    if (row.kind === "simulated") {
      totals.simulated_requests += row.requests;
      totals.simulated_cost_nano_usd += row.cost_nano_usd;
      continue;
    }
    if (row.for_month !== month) totals.earlier_nano_usd += row.cost_nano_usd;
    else if (row.kind === "usage") totals.list_cost_nano_usd += row.cost_nano_usd;
    else totals.adjustments_nano_usd += row.cost_nano_usd;
    totals.discount_nano_usd += row.discount_nano_usd;
    totals.requests += row.requests;
    totals.unpriced_requests += row.unpriced_requests;
    totals.partly_unbilled_requests += row.partly_unbilled_requests;
  }
  return totals;
}

export interface EarlierMonth {
  month: string;
  listCostNanoUsd: bigint;
  adjustmentsNanoUsd: bigint;
  discountNanoUsd: bigint;
}

/** Sums what arrived late, by the month of the requests, oldest first. */
export function listEarlierMonths(month: string, rows: readonly ProductRow[]): EarlierMonth[] {
  const late = rows.filter((row) => row.for_month !== month && row.kind !== "simulated");
  return [...Map.groupBy(late, (row) => row.for_month)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([each, own]) => {
      const sum = (of: readonly ProductRow[]) =>
        of.reduce((total, { cost_nano_usd }) => total + cost_nano_usd, 0n);
      return {
        month: each,
        listCostNanoUsd: sum(own.filter(({ kind }) => kind === "usage")),
        adjustmentsNanoUsd: sum(own.filter(({ kind }) => kind === "adjustment")),
        discountNanoUsd: own.reduce((total, row) => total + row.discount_nano_usd, 0n),
      };
    });
}

/** Explains the change of the list cost between the lines of two months. */
export function explainStatements(
  before: { month: string; rows: readonly ProductRow[] },
  after: { month: string; rows: readonly ProductRow[] },
): CostChange {
  return explainChange(toProducts(before), toProducts(after));
}

function toProducts({ month, rows }: { month: string; rows: readonly ProductRow[] }) {
  const own = rows.filter((row) => row.kind === "usage" && row.for_month === month);
  return new Map(own.map((row) => [productKey(row), toUsage(row)]));
}

function toUsage(row: ProductRow): ProductUsage {
  const amounts = costParts.map(
    ({ units, column }) => [units, { units: row[units], nanoUsd: row[column] }] as const,
  );
  return { amounts: Object.fromEntries(amounts) };
}

/** Text of the labels of a product. `readProduct` reads it. */
function productKey(row: Record<PriceLabel, string>): string {
  return JSON.stringify(priceLabels.map((label) => row[label]));
}

export function readProduct(key: string): Record<PriceLabel, string> {
  const texts = JSON.parse(key) as string[];
  const entries = priceLabels.map((label, index) => [label, texts[index] ?? ""] as const);
  return Object.fromEntries(entries) as Record<PriceLabel, string>;
}

/** Splits the discount of a line over its parts, in proportion to their cost. The parts add up to it exactly. */
export function splitDiscount(costs: readonly bigint[], discount: bigint): bigint[] {
  const total = costs.reduce((sum, cost) => sum + cost, 0n);
  let passed = 0n;
  let given = 0n;
  return costs.map((cost) => {
    passed += cost;
    const due = total === 0n ? 0n : (discount * passed) / total;
    const part = due - given;
    given = due;
    return part;
  });
}
