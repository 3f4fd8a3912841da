import { describe, expect, test } from "vitest";
import { requestOf, worst } from "#test/harness/hold-requests.ts";
import { makeFeatureBook, removeNeutralParts } from "./feature-book.ts";
import type { UnknownPart } from "./hold-request.ts";
import { isReadFeature } from "./known-features.ts";
import { type NeutralFeature, neutralFeatures } from "./neutral-features.ts";

const part = (kind: UnknownPart["kind"], name: string, rest: Partial<UnknownPart> = {}) => ({
  kind,
  name,
  count: 1,
  bytes: 0,
  ...rest,
});

const book = makeFeatureBook([
  { kind: "field", name: "later", isInPrompt: true },
  { kind: "field", name: "labels", isInPrompt: false },
  { kind: "tool", name: "sketch_*", isInPrompt: true },
]);

describe("a row of data makes neutral", () => {
  test("a field, so that the request is held like a plain one", () => {
    const request = requestOf({ unknownParts: [part("field", "later")] });
    const neutral = removeNeutralParts(request, book);
    expect(neutral).toEqual(requestOf({}));
    expect(worst(neutral)).toEqual(worst({}));
  });

  test("a field outside the prompt, without its bytes", () => {
    const request = requestOf({ unknownParts: [part("field", "labels", { bytes: 200 })] });
    expect(removeNeutralParts(request, book)).toEqual(requestOf({ outsidePromptBytes: 200 }));
  });

  test("every version of a tool, whose definition counts like a toolset", () => {
    const request = requestOf({
      toolCount: 2,
      unknownParts: [part("tool", "sketch_20300101", { count: 2 })],
    });
    expect(removeNeutralParts(request, book)).toEqual(requestOf({ toolCount: 2, toolsetCount: 2 }));
  });

  test("no other part", () => {
    const unknownParts = [
      part("field", "later2"),
      part("tool", "later"),
      part("tool", "sketch_pad_20300101"),
      part("tool", "sketch_"),
      part("field", ""),
    ];
    const request = requestOf({ unknownParts });
    expect(removeNeutralParts(request, book)).toBe(request);
    const mixed = requestOf({ unknownParts: [...unknownParts, part("field", "later")] });
    expect(removeNeutralParts(mixed, book).unknownParts).toEqual(unknownParts);
  });
});

test("no shipped row is read by the gateway, and each name is unique", () => {
  const read = neutralFeatures.filter(({ kind, name }) => isReadFeature(kind, name));
  expect(read).toEqual([]);
  const keys = neutralFeatures.map(({ kind, name }: NeutralFeature) => `${kind} ${name}`);
  expect(new Set(keys).size).toBe(keys.length);
});
