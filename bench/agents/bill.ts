// Amount that the stand-in for the Claude API bills. The prices are written here again, so that a wrong price of the
// server is not compared with itself.

/** Input tokens of one model call, by their cache result. */
export interface CallInput {
  input: number;
  cacheRead: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
}

/** nano-USD per token. */
interface Prices extends Record<keyof CallInput, bigint> {
  output: bigint;
}

const pricesByModel: Readonly<Record<string, Prices>> = {
  "claude-opus-5-5": makePrices(4_000n, { read: 200n, output: 20_000n }),
  "claude-opus-4-7": makePrices(5_000n, { read: 500n, output: 25_000n }),
  "claude-sonnet-5-5": makePrices(2_000n, { read: 100n, output: 10_000n }),
  "claude-sonnet-4-6": makePrices(3_000n, { read: 300n, output: 15_000n }),
  "claude-haiku-4-5-20251001": makePrices(1_000n, { read: 100n, output: 5_000n }),
};
const SEARCH_NANO_USD = 10_000_000n;

/** Tokens and searches of one response. */
export interface Usage {
  calls: readonly CallInput[];
  outputTokens: number;
  searches: number;
}

export function isPriced(model: string): boolean {
  return model in pricesByModel;
}

/** Exact cost, nano-USD. Throws for a model without a price. */
export function bill(model: string, { calls, outputTokens, searches }: Usage): bigint {
  const prices = pricesByModel[model];
  if (prices === undefined) throw new Error(`no price of ${model}`);
  const input = sumInput(calls);
  return (
    BigInt(input.input) * prices.input +
    BigInt(input.cacheRead) * prices.cacheRead +
    BigInt(input.cacheWrite5m) * prices.cacheWrite5m +
    BigInt(input.cacheWrite1h) * prices.cacheWrite1h +
    BigInt(outputTokens) * prices.output +
    BigInt(searches) * SEARCH_NANO_USD
  );
}

/** Usage of several calls reports their sum. */
export function sumInput(calls: readonly CallInput[]): CallInput {
  const sum = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
  for (const call of calls) {
    sum.input += call.input;
    sum.cacheRead += call.cacheRead;
    sum.cacheWrite5m += call.cacheWrite5m;
    sum.cacheWrite1h += call.cacheWrite1h;
  }
  return sum;
}

function makePrices(input: bigint, { read, output }: { read: bigint; output: bigint }): Prices {
  const [write5m, write1h] = [(input * 5n) / 4n, input * 2n];
  return { input, cacheRead: read, cacheWrite5m: write5m, cacheWrite1h: write1h, output };
}
