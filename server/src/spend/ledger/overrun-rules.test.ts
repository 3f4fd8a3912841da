import fc from "fast-check";
import { expect, test } from "vitest";
import { findOverrun, findUnrecorded, type LimitedSpend } from "./overrun-rules.ts";

const spend: LimitedSpend = {
  settledBeforeNanoUsd: 90n,
  settledNanoUsd: 130n,
  limitNanoUsd: 100n,
  limitRevision: 4n,
  isWholePeriod: false,
  comparedNanoUsd: 0n,
  comparedRevision: 0n,
};

test.each<[string, Partial<LimitedSpend>, bigint | null]>([
  ["up to the limit is no overrun", { settledNanoUsd: 100n }, null],
  ["across the limit is an overrun in the part beyond it", {}, 30n],
  ["after a limit was set below the spend is an overrun alone", { limitNanoUsd: 50n }, 40n],
  [
    "that was compared with this limit is not counted again",
    { comparedNanoUsd: 120n, comparedRevision: 4n },
    10n,
  ],
  [
    "that was never compared counts if the limit is as old as the period",
    { settledBeforeNanoUsd: 120n, isWholePeriod: true },
    30n,
  ],
  [
    "that was compared with another limit is no overrun",
    { settledBeforeNanoUsd: 120n, comparedNanoUsd: 110n, comparedRevision: 3n },
    10n,
  ],
])("spend %s", (_, changes, expected) => {
  expect(findOverrun({ ...spend, ...changes })?.nanoUsd ?? null).toBe(expected);
});

test("the overruns of any steps add up to the spend beyond the limit", () => {
  const amount = fc.bigInt({ min: 0n, max: 1_000n });
  fc.assert(
    fc.property(amount, amount, fc.array(amount), (limitNanoUsd, found, steps) => {
      let state = { ...spend, limitNanoUsd, settledNanoUsd: found };
      let overrun = 0n;
      for (const step of steps) {
        const settledBeforeNanoUsd = state.settledNanoUsd;
        state = { ...state, settledBeforeNanoUsd, settledNanoUsd: settledBeforeNanoUsd + step };
        const more = findOverrun(state);
        if (more === null) continue;
        overrun += more.nanoUsd;
        state = { ...state, comparedNanoUsd: more.comparedNanoUsd, comparedRevision: 4n };
      }
      const added = state.settledNanoUsd - found;
      const beyond = found > limitNanoUsd ? added : state.settledNanoUsd - limitNanoUsd;
      expect(overrun).toBe(beyond > 0n ? beyond : 0n);
      expect(findUnrecorded(state)).toBe(0n);
    }),
  );
});
