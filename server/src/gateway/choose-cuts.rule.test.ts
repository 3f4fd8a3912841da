import { describe, expect, test } from "vitest";
import { chooseCuts, type DueCut } from "./choose-cuts.rule.ts";

interface Due extends DueCut {
  name: string;
}

/** `coveredMs`: time for which the hold covers the bound. */
function due(name: string, coveredMs: number, changes: Partial<Due> = {}): Due {
  const isCoveredFor = (ms: number) => coveredMs >= ms;
  const usual = { limitId: "spl_1", sunkNanoUsd: 10n, isUrgent: false, hasBegun: false };
  return { name, ...usual, isCoveredFor, ...changes };
}

const namesOf = (chosen: readonly Due[]) => chosen.map(({ name }) => name);

describe("streams without budget", () => {
  test("are cut one in a turn, the one with the least cost first", () => {
    const streams = [
      due("a", 2_400, { sunkNanoUsd: 30n }),
      due("b", 2_700, { sunkNanoUsd: 20n }),
      due("c", 2_700, { sunkNanoUsd: 25n }),
    ];
    expect(namesOf(chooseCuts(streams))).toEqual(["b"]);
    expect(namesOf(chooseCuts(streams.slice(0, 1)))).toEqual([]);
  });

  test("wait while one cut in each turn is in time for all of them", () => {
    const twoTurns = [due("a", 2_500), due("b", 2_500)];
    expect(chooseCuts(twoTurns)).toEqual([]);
    expect(chooseCuts([...twoTurns, due("c", 2_900)])).toHaveLength(1);
    expect(chooseCuts([due("a", 2_250)])).toEqual([]);
    expect(chooseCuts([due("a", 2_249)])).toHaveLength(1);
  });

  test("are all cut if they are urgent or their holds are short, the one with the least cost first", () => {
    const streams = [
      due("a", 1_999, { sunkNanoUsd: 30n }),
      due("b", 2_000),
      due("c", 2_900, { isUrgent: true, sunkNanoUsd: 20n }),
    ];
    expect(namesOf(chooseCuts(streams))).toEqual(["c", "a"]);
  });

  test("are not overtaken by a cheaper one while the end of an event delays their cut", () => {
    const streams = [due("a", 2_100, { hasBegun: true }), due("b", 2_100, { sunkNanoUsd: 5n })];
    expect(namesOf(chooseCuts(streams))).toEqual(["a"]);
  });

  test("are cut one for each limit", () => {
    const streams = [due("a", 2_100), due("b", 2_100), due("c", 2_100, { limitId: "spl_2" })];
    expect(namesOf(chooseCuts(streams))).toEqual(["a", "c"]);
  });

  test("are none without a wait", () => {
    expect(chooseCuts([])).toEqual([]);
  });
});
