import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { includesModels, intersectModels, isModelAllowed } from "./allowed-models.ts";
import { priceList } from "./price-list.ts";

const SNAPSHOT = "claude-sonnet-4-5-20250929";

test.each<[string, string]>([
  ["claude-sonnet-4-5", "claude-sonnet-4-5"],
  ["claude-sonnet-4-5", SNAPSHOT],
  [SNAPSHOT, "claude-sonnet-4-5"],
  ["claude-sonnet-4-5", "claude-sonnet-4-5-20991231"],
  ["claude-haiku-*", "claude-haiku-4-5-20251001"],
  ["claude-haiku-*", "claude-haiku-99"],
  ["claude-sonnet-4-5-*", "claude-sonnet-4-5"],
  ["a-model-of-tomorrow", "a-model-of-tomorrow"],
  ["a-model-of-tomorrow", "a-model-of-tomorrow-20990101"],
])("%s allows %s", (entry, model) => {
  expect(isModelAllowed(["something-else", entry], model)).toBe(true);
});

test.each<[string, string]>([
  ["claude-sonnet-4-5", "claude-opus-4-5"],
  ["claude-sonnet-4-5", "claude-sonnet-4-5-1"],
  ["claude-sonnet-4-5", "Claude-Sonnet-4-5"],
  ["claude-sonnet-4-5", " claude-sonnet-4-5"],
  ["claude-sonnet-4-5", ""],
  // An entry with a date allows only that snapshot.
  [SNAPSHOT, "claude-sonnet-4-5-20991231"],
  ["a-model-20990101", "a-model-20990101-20991231"],
  ["claude-haiku-*", "claude-haiku"],
  ["claude-haiku-*", "x-claude-haiku-4-5"],
  ["claude-haiku-*", "claude-sonnet-4-5"],
])("%s does not allow %s", (entry, model) => {
  expect(isModelAllowed([entry], model)).toBe(false);
});

describe("two lists", () => {
  test.each<[string[], string[], string[]]>([
    [["claude-haiku-*"], ["claude-haiku-*"], ["claude-haiku-*"]],
    [["claude-haiku-*"], ["claude-*"], ["claude-haiku-*"]],
    [["claude-haiku-4-5"], ["claude-haiku-*", "claude-opus-4-5"], ["claude-haiku-4-5"]],
    [["claude-sonnet-4-5"], [SNAPSHOT], [SNAPSHOT]],
    [["claude-sonnet-4-5-2*"], ["claude-sonnet-4-5"], [SNAPSHOT]],
    [["claude-haiku-*"], ["claude-opus-*"], []],
    [[], ["claude-opus-*"], []],
    [["a-model"], ["a-model-20990101"], ["a-model-20990101"]],
  ])("%j and %j allow %j", (a, b, both) => {
    expect(intersectModels(a, b)).toEqual(both);
    expect(intersectModels(b, a)).toEqual(both);
  });

  const names = priceList.flatMap(({ id, aliases }) => [id, ...aliases]);
  const name = fc.oneof(
    fc.constantFrom(...names),
    fc
      .tuple(
        fc.constantFrom(...names, "a-model", "b"),
        fc.constantFrom("", "-20990101", "-latest", "-2", "-20990101-20990102"),
      )
      .map((parts) => parts.join("")),
  );
  const entry = fc.oneof(
    name,
    fc.tuple(name, fc.nat({ max: 30 })).map(([text, cut]) => `${text.slice(0, 1 + cut)}*`),
  );
  const list = fc.array(entry, { maxLength: 4 });

  test("the intersection allows no model that one list refuses", () => {
    fc.assert(
      fc.property(list, list, name, (a, b, model) => {
        const both = intersectModels(a, b);
        expect(isModelAllowed(both, model) && !isModelAllowed(a, model)).toBe(false);
        expect(isModelAllowed(both, model) && !isModelAllowed(b, model)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test("the intersection allows each model of the table that both lists allow", () => {
    fc.assert(
      fc.property(list, list, fc.constantFrom(...names), (a, b, model) => {
        const isInBoth = isModelAllowed(a, model) && isModelAllowed(b, model);
        expect(isModelAllowed(intersectModels(a, b), model)).toBe(isInBoth);
      }),
      { numRuns: 500 },
    );
  });

  test("a list includes its intersections, and an included list allows no other model", () => {
    fc.assert(
      fc.property(list, list, name, (a, b, model) => {
        expect(includesModels(a, intersectModels(a, b))).toBe(true);
        if (includesModels(a, b) && isModelAllowed(b, model)) {
          expect(isModelAllowed(a, model)).toBe(true);
        }
      }),
    );
  });
});
