import { expect, test } from "vitest";
import type { UsageRow } from "../../kit/usage/queries.ts";
import { sumByGroup } from "./sum-usage.ts";

const row = (model: string, cost: string) =>
  ({
    model,
    requests: 1,
    errors: 0,
    estimated_requests: 0,
    unpriced_requests: 0,
    partly_unbilled_requests: 0,
    input_tokens: 1,
    cache_write_5m_tokens: 0,
    cache_write_1h_tokens: 0,
    cache_read_tokens: 0,
    output_tokens: 0,
    total_tokens: 1,
    cost_usd: cost,
  }) as UsageRow;

test("adds up groups without rounding, highest cost first", () => {
  const rows = [row("a", "0.1"), row("a", "0.2"), row("b", "0.300000001")];
  expect(sumByGroup(rows, "model").map(({ key, costNano }) => [key, costNano])).toEqual([
    ["b", 300_000_001n],
    ["a", 300_000_000n],
  ]);
});
