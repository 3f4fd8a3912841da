import fc from "fast-check";
import { expect, test } from "vitest";
import { boundModelName, makeModelLabels } from "./model-labels.ts";
import { makePriceBook } from "./price-book.ts";

const book = makePriceBook([]);

test("reports a model of the price table always by its own name", () => {
  const labels = makeModelLabels(0);
  expect(labels.labelOf("claude-3-5-sonnet-20241022", book, true)).toBe(
    "claude-3-5-sonnet-20241022",
  );
  expect(labels.labelOf("claude-fable-5-2", book, true)).toBe("claude-fable-5-2");
});

test("reports other models by name up to the cap, then as other", () => {
  const labels = makeModelLabels(2);
  expect(labels.labelOf("first", book, true)).toBe("first");
  expect(labels.labelOf("second", book, true)).toBe("second");
  expect(labels.labelOf("third", book, true)).toBe("other");
  expect(labels.labelOf("first", book, true)).toBe("first");
  expect(labels.labelOf("claude-opus-5", book, true)).toBe("claude-opus-5");
});

test("a name without usage does not count towards the cap", () => {
  const labels = makeModelLabels(1);
  expect(labels.labelOf("made-up", book, false)).toBe("other");
  expect(labels.labelOf("real", book, true)).toBe("real");
  expect(labels.labelOf("real", book, false)).toBe("real");
});

test("labels of an earlier run count towards the cap", () => {
  const labels = makeModelLabels(2, ["old", "older"]);
  expect(labels.labelOf("old", book, true)).toBe("old");
  expect(labels.labelOf("new", book, true)).toBe("other");
});

test("dated names of a listed model count too, because dates are unlimited", () => {
  const labels = makeModelLabels(1);
  expect(labels.labelOf("claude-opus-5-20260901", book, true)).toBe("claude-opus-5-20260901");
  expect(labels.labelOf("claude-opus-5-20260902", book, true)).toBe("other");
});

test("a label is short and printable for any model name", () => {
  expect(boundModelName("")).toBe("unknown");
  expect(boundModelName("a\u0000b\nc é")).toBe("a_b_c__");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (name) => {
      expect(boundModelName(name)).toMatch(/^[A-Za-z0-9._:@/+-]{1,64}$/);
    }),
  );
});
