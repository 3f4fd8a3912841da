import type { MeasureColumn } from "@bursar/contract/usage-shape.ts";

// Explains the difference between the list cost of two months by volume, mix, cache and price. Each part is a difference of
// two whole amounts between which a cost moves in steps, so the parts add up exactly. See docs/decisions/0104-statements.md.

/** Usage of one product in a month: a model at one price class. Costs are nano-USD. */
export interface ProductUsage {
  /** Units and cost by kind of unit. Omitted: none. */
  amounts: Partial<Record<MeasureColumn, UnitCost>>;
}

export interface UnitCost {
  units: bigint;
  nanoUsd: bigint;
}

/** Parts of a difference, nano-USD. */
export interface ChangeParts {
  volume: bigint;
  mix: bigint;
  cache: bigint;
  price: bigint;
}

export interface ProductChange extends ChangeParts {
  key: string;
  beforeNanoUsd: bigint;
  afterNanoUsd: bigint;
}

export interface CostChange extends ChangeParts {
  beforeNanoUsd: bigint;
  afterNanoUsd: bigint;
  /** In the order of their keys. */
  products: ProductChange[];
}

/** Kinds of units whose shares can change without a change of the work: the cache moves tokens between those of a prompt. */
const directions: readonly (readonly MeasureColumn[])[] = [
  ["input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"],
  ["output_tokens"],
  ["web_searches"],
];

const tokens = directions.slice(0, 2).flat();

/** Explains the change between two months. The keys name the products. */
export function explainChange(
  before: ReadonlyMap<string, ProductUsage>,
  after: ReadonlyMap<string, ProductUsage>,
): CostChange {
  const volumeBefore = sumTokens(before);
  const volumeAfter = sumTokens(after);
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  const products = keys.map((key): ProductChange => {
    const change: ProductChange = { key, beforeNanoUsd: 0n, afterNanoUsd: 0n, ...noParts };
    for (const columns of directions) {
      const of = (usage: ProductUsage | undefined) =>
        columns.map((column) => usage?.amounts[column] ?? { units: 0n, nanoUsd: 0n });
      addDirection(change, {
        before: of(before.get(key)),
        after: of(after.get(key)),
        volumeBefore,
        volumeAfter,
      });
    }
    return change;
  });
  const total: CostChange = { beforeNanoUsd: 0n, afterNanoUsd: 0n, ...noParts, products };
  for (const product of products) addUp(total, product);
  return total;
}

const noParts: ChangeParts = { volume: 0n, mix: 0n, cache: 0n, price: 0n };

function addUp(sum: Omit<ProductChange, "key">, one: Omit<ProductChange, "key">): void {
  sum.beforeNanoUsd += one.beforeNanoUsd;
  sum.afterNanoUsd += one.afterNanoUsd;
  sum.volume += one.volume;
  sum.mix += one.mix;
  sum.cache += one.cache;
  sum.price += one.price;
}

interface Direction {
  /** Amounts by kind of unit, in one order. */
  before: readonly UnitCost[];
  after: readonly UnitCost[];
  /** Tokens of the whole months. */
  volumeBefore: bigint;
  volumeAfter: bigint;
}

function addDirection(change: ProductChange, direction: Direction): void {
  const { before, after, volumeBefore, volumeAfter } = direction;
  const start = sum(before.map(({ nanoUsd }) => nanoUsd));
  const end = sum(after.map(({ nanoUsd }) => nanoUsd));
  // Without an earlier volume, there is no mix or price to compare with.
  const scaled = volumeBefore === 0n ? end : divide(start * volumeAfter, volumeBefore);
  const mixed = volumeBefore === 0n ? end : costOfMix(direction, { start, end });
  const cached = volumeBefore === 0n ? end : costAtOldPrices(before, after);
  addUp(change, {
    beforeNanoUsd: start,
    afterNanoUsd: end,
    volume: scaled - start,
    mix: mixed - scaled,
    cache: cached - mixed,
    price: end - cached,
  });
}

/** Cost of the new units at the old average price. New ones have their own price, so their whole cost is mix. */
function costOfMix(
  { before, after }: Direction,
  { start, end }: { start: bigint; end: bigint },
): bigint {
  const unitsBefore = sum(before.map(({ units }) => units));
  const unitsAfter = sum(after.map(({ units }) => units));
  return unitsBefore === 0n ? end : divide(start * unitsAfter, unitsBefore);
}

/** Cost of the new units, each kind at its old price. A kind without an old price has its new one. */
function costAtOldPrices(before: readonly UnitCost[], after: readonly UnitCost[]): bigint {
  const costs = after.map(({ units, nanoUsd }, index) => {
    const old = before[index];
    return old === undefined || old.units === 0n ? nanoUsd : divide(old.nanoUsd * units, old.units);
  });
  return sum(costs);
}

function sumTokens(products: ReadonlyMap<string, ProductUsage>): bigint {
  const counts = [...products.values()].flatMap(({ amounts }) =>
    tokens.map((column) => amounts[column]?.units ?? 0n),
  );
  return sum(counts);
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

/** Quotient, rounded half away from zero, as PostgreSQL rounds `numeric`. The divisor is positive. */
export function divide(dividend: bigint, divisor: bigint): bigint {
  const isNegative = dividend < 0n;
  const size = isNegative ? -dividend : dividend;
  const rounded = (2n * size + divisor) / (2n * divisor);
  return isNegative ? -rounded : rounded;
}
