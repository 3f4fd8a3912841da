import { describe, expect, test } from "vitest";
import { findUsualFields, positions, readUsualHead } from "./head-kernel.ts";

const LINE = "POST / HTTP/1.1\r\n";
const usual = ["host: a", "x-1: b c", "empty: ", `long-name-of-more-than-16: ${"x".repeat(100)}`];

/** Returns the lines between the positions, or null for an unusual head. */
function findLines(lines: readonly string[], rest = "\r\nbody: x\r\n\r\n"): string[] | null {
  const text = `xx${LINE}${lines.map((line) => `${line}\r\n`).join("")}${rest}`;
  const count = findUsualFields(Buffer.from(text, "latin1"), 2, 2 + LINE.length);
  if (count === 0) return null;
  const found: string[] = [];
  const head = readUsualHead(text.length - 2);
  expect(head.slice(0, LINE.length)).toBe(LINE);
  for (let i = 0; i + 2 < count; i += 2) {
    const [name, value, next] = positions.subarray(i, i + 3);
    found.push(head.slice(name, value), head.slice(value, next));
  }
  return found;
}

describe("the fields of a usual head", () => {
  test("are between the positions of names, values and the last line", () => {
    expect(findLines(usual)).toEqual([
      ...["host: ", "a\r\n", "x-1: ", "b c\r\n", "empty: ", "\r\n"],
      ...["long-name-of-more-than-16: ", `${"x".repeat(100)}\r\n`],
    ]);
    expect(findLines([])).toEqual([]);
    expect(findLines(["a: \x80\xff~!"])).toEqual(["a: ", "\x80\xff~!\r\n"]);
  });

  test.each([15, 16, 17, 31, 32, 33])("have names and values of %i bytes", (length) => {
    const name = "n".repeat(length);
    const value = "v".repeat(length);
    expect(findLines([`${name}: ${value}`])).toEqual([`${name}: `, `${value}\r\n`]);
  });

  test.each([1, 15, 16, 17, 40])(
    "have names of %i letters in lower case, and values as sent",
    (length) => {
      const name = "N-M"
        .padEnd(length, "K[@`")
        .slice(0, length)
        .replace(/[^A-Z-]/g, "Z");
      expect(findLines([`${name}: VALUE`, "Az-09: AZ[@`{"])).toEqual([
        ...[`${name.toLowerCase()}: `, "VALUE\r\n", "az-09: ", "AZ[@`{\r\n"],
      ]);
    },
  );

  test("are not found in any prefix of the head", () => {
    const head = Buffer.from(`${LINE}${usual.join("\r\n")}\r\n\r\n`);
    for (let length = LINE.length; length < head.length; length++) {
      expect(findUsualFields(head.subarray(0, length), 0, LINE.length)).toBe(0);
    }
    expect(findUsualFields(head, 0, LINE.length)).toBe(2 * usual.length + 1);
  });

  test("are at most 499 in at most 4 KB", () => {
    const fields = Array.from({ length: 499 }, () => "a: b");
    expect(findLines(fields)).toHaveLength(998);
    expect(findLines([...fields, "a: b"])).toBeNull();
    const room = 4096 - LINE.length - "a: \r\n\r\n".length;
    expect(findLines([`a: ${"x".repeat(room)}`])).toHaveLength(2);
    expect(findLines([`a: ${"x".repeat(room + 1)}`])).toBeNull();
  });
});

test.each([
  ["another character in a name", "a_b: c"],
  ["a bracket in a name", "A[B: c"],
  ["an at sign in a name", "A@B: c"],
  ["a name without letters", ": a"],
  ["no space before the value", "a:b"],
  ["two spaces before the value", "a:  b"],
  ["only spaces as the value", "a:  "],
  ["a space after the value", "a: b "],
  ["a space before the colon", "a : b"],
  ["a tab", "a: b\tc"],
  ["a control character", "a: b\x00c"],
  ["a deleted character", "a: b\x7fc"],
  ["a bare CR", "a: b\rc: d"],
  ["a bare LF", "a: b\nc: d"],
  ["a folded line", "a: b\r\n c"],
  ["a line without a colon", "a"],
])("a head with %s is unusual", (_name, line) => {
  expect(findLines([line])).toBeNull();
  expect(findLines(["host: a", line, "x: y"])).toBeNull();
});
