import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const tokens = readFileSync(new URL("../tokens.css", import.meta.url), "utf8");
const pairs = new Map(
  [...tokens.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(
    ([, name = "", light = "", dark = ""]) => [name, { light, dark }],
  ),
);

// WCAG 2.2: text 4.5 : 1, edges of controls 3 : 1.
const texts = ["ink", "quiet", "faint", "accent", "good", "warn", "bad"];
const grounds = ["paper", "raised", "sunk"];
const onOwnGround = [
  ["on-accent", "accent"],
  ["on-bad", "bad"],
  ["accent", "accent-wash"],
  ["good", "good-wash"],
  ["warn", "warn-wash"],
  ["bad", "bad-wash"],
  ["ink", "accent-wash"],
  ["quiet", "accent-wash"],
] as const;

describe.each(["light", "dark"] as const)("colours in %s", (theme) => {
  const contrast = (front: string, ground: string) => {
    const [a, b] = [front, ground].map((name) => luminance(pairs.get(name)?.[theme] ?? ""));
    return (Math.max(a ?? 0, b ?? 0) + 0.05) / (Math.min(a ?? 0, b ?? 0) + 0.05);
  };

  test.each(texts.flatMap((text) => grounds.map((ground) => [text, ground])))(
    "%s can be read on %s",
    (text, ground) => expect(contrast(text ?? "", ground ?? "")).toBeGreaterThanOrEqual(4.5),
  );
  test.each(onOwnGround)("%s can be read on %s", (text, ground) =>
    expect(contrast(text, ground)).toBeGreaterThanOrEqual(4.5),
  );
  test("a highlighted menu item differs from the menu", () =>
    expect(contrast("sunk", "raised")).toBeGreaterThanOrEqual(1.1));
  test.each(grounds)("the edge of a control can be seen on %s", (ground) =>
    expect(contrast("edge", ground)).toBeGreaterThanOrEqual(3),
  );
});

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
