import { assert } from "#src/lib/assert.ts";

// Money is a bigint of nano-US-dollars. A token of the cheapest kind costs 10, and the largest amounts fit the int8
// columns.

const NANO_PER_USD = 1_000_000_000n;
/** Largest amount of an int8 column: about 9.2 billion dollars. */
export const MAX_NANO_USD = 2n ** 63n - 1n;

const DECIMALS = 9;
const MAX_TEXT_CHARS = 64;
/** Digits of a JSON number that a double stores exactly. */
const EXACT_NUMBER_DIGITS = 15;
const DECIMAL = /^([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/;

/** An amount that cannot be parsed exactly. The message is public and states the expected form. */
export class MoneyError extends RangeError {
  constructor(message: string) {
    super(message);
    this.name = "MoneyError";
  }
}

/**
 * Parses US dollars, a decimal text or a JSON number, to exact nano-USD. Allows at most 9 decimals. Exponents are
 * exact: "1e-2" is one cent. Throws MoneyError for other input, for a negative amount unless `canBeNegative`, and for a
 * number of more than 15 digits. A double may have rounded such a number, so it must be sent as text.
 */
export function parseUsd(
  amount: string | number,
  options: { canBeNegative?: boolean } = {},
): bigint {
  if (typeof amount === "number" && !Number.isFinite(amount)) {
    throw new MoneyError("the amount must be a finite number of US dollars");
  }
  const text = String(amount);
  const match = text.length <= MAX_TEXT_CHARS ? DECIMAL.exec(text) : null;
  if (!match)
    throw new MoneyError('the amount must be a decimal number of US dollars, like "100.00"');
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (typeof amount === "number" && significant.length > EXACT_NUMBER_DIGITS) {
    throw new MoneyError(
      "the amount has more digits than a JSON number stores exactly: send it as text",
    );
  }
  if (significant === "") return 0n;
  // In nano-USD the amount is `significant` times ten to this power.
  const power = digits.length - significant.length - fraction.length + Number(exponent) + DECIMALS;
  if (power < 0) throw new MoneyError(`the amount may have at most ${DECIMALS} decimals`);
  const isTooLarge = significant.length + power > MAX_NANO_USD.toString().length;
  const nano = isTooLarge ? MAX_NANO_USD + 1n : BigInt(significant) * 10n ** BigInt(power);
  if (nano > MAX_NANO_USD) {
    throw new MoneyError(`the amount may be at most ${formatUsd(MAX_NANO_USD)}`);
  }
  if (sign !== "-") return nano;
  if (options.canBeNegative !== true) throw new MoneyError("the amount may not be negative");
  return -nano;
}

/** Formats nano-USD as dollars with all significant digits and at least two decimals ("100.00", "0.0105"). */
export function formatUsd(nano: bigint): string {
  const abs = nano < 0n ? -nano : nano;
  const decimals = (abs % NANO_PER_USD)
    .toString()
    .padStart(DECIMALS, "0")
    .replace(/0{1,7}$/, "");
  return `${nano < 0n ? "-" : ""}${abs / NANO_PER_USD}.${decimals}`;
}

/** Formats nano-USD as `formatUsd` does, with a dollar sign ("$100.00"). */
export function formatDollars(nano: bigint): string {
  return `$${formatUsd(nano)}`;
}

const NANO_PER_CENT = 10_000_000n;
const CENT_DECIMALS = 7;

/** Formats nano-USD as a decimal of cents, as in the official reports: "123.45" is $1.2345. */
export function formatCents(nano: bigint): string {
  const abs = nano < 0n ? -nano : nano;
  const decimals = (abs % NANO_PER_CENT).toString().padStart(CENT_DECIMALS, "0").replace(/0+$/, "");
  return `${nano < 0n ? "-" : ""}${abs / NANO_PER_CENT}${decimals === "" ? "" : `.${decimals}`}`;
}

/** Divides and rounds half to even. The denominator is positive. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  assert(denominator > 0n, "a denominator is positive");
  const floor = floorDivide(numerator, denominator);
  const twice = 2n * (numerator - floor * denominator);
  const isUp = twice > denominator || (twice === denominator && floor % 2n !== 0n);
  return isUp ? floor + 1n : floor;
}

/**
 * Splits `total` to integer parts, one per numerator. Each exact part `numerator / denominator` is rounded down. The
 * rest goes one by one to the largest remainders, the earlier part first if equal. So each part is within 1 of its
 * exact value. `total` is the rounded sum of the exact parts.
 */
export function splitByLargestRemainder(
  total: bigint,
  numerators: readonly bigint[],
  denominator: bigint,
): bigint[] {
  assert(denominator > 0n, "a denominator is positive");
  const parts = numerators.map((numerator) => floorDivide(numerator, denominator));
  const left = Number(total - parts.reduce((sum, part) => sum + part, 0n));
  // The usual case, because prices are whole nano-USD per token.
  if (left === 0) return parts;
  const remainders = numerators.map((numerator, index) => ({
    index,
    remainder: numerator - (parts[index] ?? 0n) * denominator,
  }));
  const receiving = remainders.filter(({ remainder }) => remainder > 0n).sort(byRemainder);
  assert(left >= 0 && left <= receiving.length, "a total is the rounded sum of its parts");
  for (const { index } of receiving.slice(0, left)) parts[index] = (parts[index] ?? 0n) + 1n;
  return parts;
}

interface Remainder {
  index: number;
  remainder: bigint;
}

function byRemainder(a: Remainder, b: Remainder): number {
  if (a.remainder === b.remainder) return a.index - b.index;
  return a.remainder > b.remainder ? -1 : 1;
}

function floorDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  // BigInt division truncates towards zero, which is not the floor of negative quotients.
  return numerator < 0n && numerator % denominator < 0n ? quotient - 1n : quotient;
}
