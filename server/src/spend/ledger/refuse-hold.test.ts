import { describe, expect, test } from "vitest";
import { isBlocking } from "#src/domain/blocking-limit.ts";
import type { HoldRefusal, StrictLimit } from "./hold-refusal.ts";
import { isLimitReached, toHoldError } from "./refuse-hold.ts";

const LIMIT = 2_000_000_000n;
/** Smallest request to a cheap model. */
const LEAST = 8_000n;

function refuse(settledNanoUsd: bigint, unresolvedNanoUsd = 0n): HoldRefusal {
  const limit: StrictLimit = {
    id: "spl_1",
    organizationId: "org_1",
    scopeType: "workspace",
    scopeId: "wksp_1",
    period: "monthly",
    amountNanoUsd: LIMIT,
  };
  const amounts = { settledNanoUsd, unresolvedNanoUsd, leasedNanoUsd: 0n, limitNanoUsd: LIMIT };
  return {
    kind: "refused",
    reason: "too_large",
    amountNanoUsd: LIMIT,
    maxCostNanoUsd: LIMIT,
    limit,
    figures: amounts,
    regainAtMs: Date.UTC(2026, 11, 1),
  };
}

function codeOf(refusal: HoldRefusal) {
  const words = { explain: () => "", explainIncrease: () => "", leastNanoUsd: LEAST };
  const { code, message } = toHoldError(refusal, words);
  return { code, message };
}

describe("a request that a strict limit cannot hold", () => {
  test.for([
    ["the least rest", LIMIT - 100_000n, 0n, "request_too_large_for_limit"],
    ["less than the least rest", LIMIT - 99_999n, 0n, "spend_limit_reached"],
    ["less than that besides unresolved amounts", 0n, LIMIT - 99_999n, "spend_limit_reached"],
  ] as const)("gets its code by %s, as screens show it", ([, settled, unresolved, expected]) => {
    const refusal = refuse(settled, unresolved);
    expect(codeOf(refusal).code).toBe(expected);
    const { limit, figures } = refusal;
    expect(limit && isBlocking({ ...limit, enforcement: "strict" }, figures)).toBe(
      isLimitReached(refusal, LEAST),
    );
  });

  test("learns that the rest is small, or smaller than any request, if there is one", () => {
    expect(codeOf(refuse(LIMIT - 40_000n, 40_000n)).message).not.toContain("The rest");
    expect(codeOf(refuse(LIMIT - 40_000n)).message).toContain(" The rest is less than $0.0001. ");
    expect(codeOf(refuse(LIMIT - 7_999n)).message).toContain(
      " The rest is less than any request to this model can cost. ",
    );
  });
});
