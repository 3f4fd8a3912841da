import { expect, test } from "vitest";
import { formatBytes } from "./object-words.ts";

test.for([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1_000, "1.0 kB"],
  [2_048, "2.0 kB"],
  [1_500_000, "1.5 MB"],
  [500_000_000, "500.0 MB"],
] as const)("%i bytes are shown as %s", ([bytes, text]) => {
  expect(formatBytes(bytes)).toBe(text);
});
