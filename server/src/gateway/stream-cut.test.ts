import type { CutReason } from "@bursar/contract/usage-shape.ts";
import { describe, expect, test } from "vitest";
import type { HoldRefusal } from "#src/spend/ledger/hold-refusal.ts";
import { steppedLimit } from "#test/harness/stepped-leases.ts";
import { toCutError, toCutReason } from "./stream-cut.ts";

type Reason = HoldRefusal["reason"];

/** Reason of a cut, and its code, by the reason why a larger hold was not granted. */
const CUTS: Record<Reason, [CutReason, string]> = {
  spent: ["limit_spent", "stream_cut_limit_spent"],
  too_large: ["limit_spent", "stream_cut_limit_spent"],
  held: ["limit_held", "stream_cut_budget_held"],
  queue_full: ["limit_held", "stream_cut_budget_held"],
  queue_slow: ["database_unavailable", "stream_cut_database_unavailable"],
  uncounted: ["database_unavailable", "stream_cut_database_unavailable"],
  node_awaited: ["database_unavailable", "stream_cut_database_unavailable"],
  unavailable: ["database_unavailable", "stream_cut_database_unavailable"],
};

describe("a cut", () => {
  test.each(Object.entries(CUTS))(
    "of a stream whose larger hold is %s names its reason",
    (reason, cut) => {
      const refused = { kind: "refused", reason: reason as Reason, maxCostNanoUsd: 9n } as const;
      const lack = {
        ...refused,
        amountNanoUsd: 5n,
        limit: steppedLimit,
        figures: null,
        regainAtMs: 0,
      };
      const decision = { lack, heldNanoUsd: 3n, pausedMs: 0, canWait: true };
      const { code, message } = toCutError(decision, { costNanoUsd: 2n, increase: "Ask." });
      expect([toCutReason(lack.reason), code]).toEqual(cut);
      expect(message).toContain("is $10.00.");
    },
  );

  test("of a node that stood still names the pause, and not the database", () => {
    const refused = {
      kind: "refused",
      reason: "unavailable",
      figures: null,
      regainAtMs: 0,
    } as const;
    const lack = { ...refused, maxCostNanoUsd: 9n, amountNanoUsd: 5n, limit: steppedLimit };
    const decision = { lack, heldNanoUsd: 3n, pausedMs: 15_750, canWait: true };
    const { message } = toCutError(decision, { costNanoUsd: 2n, increase: "Ask." });
    expect(message).toContain("stood still for 16 s");
    expect(message).not.toContain("database");
  });
});
