import { describe, expect, test } from "vitest";
import { FieldLines } from "./field-lines.ts";
import { FieldNames } from "./field-names.ts";
import { HeaderFields } from "./header-fields.ts";

const upstream = HeaderFields.fromList([
  ...["content-type", "text/plain", "Date", "today", "set-cookie", "a=1"],
  ...["x-limit-a", "1", "X-Limit-B", "2", "server", "x", "content-length", "5"],
]);

describe("lines of fields", () => {
  test("have those that are accepted, in their order", () => {
    const lines = new FieldLines();
    const passed = new FieldNames(["content-type", "content-length", "server"], ["x-limit-"]);
    lines.addFields(upstream, (index) => passed.has(upstream, index));
    expect(lines.text).toBe(
      "content-type: text/plain\r\nx-limit-a: 1\r\nx-limit-b: 2\r\nserver: x\r\ncontent-length: 5\r\n",
    );
    expect([lines.hasLength, lines.hasDate]).toEqual([true, false]);
  });

  test("know their date and length, whether added alone or with others", () => {
    const all = new FieldLines();
    all.addFields(upstream, () => true);
    expect([all.hasLength, all.hasDate, all.toList()]).toEqual([true, true, upstream.toList()]);
    const none = new FieldLines();
    none.addFields(upstream, () => false);
    expect([none.hasLength, none.hasDate, none.text]).toEqual([false, false, ""]);
    const alone = FieldLines.fromList(["date", "today", "content-length", "0"]);
    expect([alone.hasLength, alone.hasDate]).toEqual([true, true]);
    none.addLines(alone);
    expect([none.hasLength, none.hasDate, none.text]).toEqual([true, true, alone.text]);
  });

  test.each([
    ["a line end in a value", "x-a", "1\r\nx-b: 2"],
    ["a line end in a name", "x-a: 1\r\nx-b", "2"],
    ["an empty name", "", "1"],
    ["a character outside of latin1", "x-a", "\u0141"],
  ])("refuse a list with %s", (_name, name, value) => {
    expect(() => FieldLines.fromList([name, value])).toThrow(TypeError);
  });

  test("refuse a line end in the value of a name of this program", () => {
    expect(() => new FieldLines().add("x-a", "1\r\nx-b: 2")).toThrow(TypeError);
  });
});

test("a set of names has a name and a start of a name, and no part of one", () => {
  const names = new FieldNames(["te", "via", "vary"], ["x-forwarded-"]);
  const fields = HeaderFields.fromList(
    ["te", "t", "Via", "VARY", "vara", "x-forwarded-for", "x-forwarded", "trailer"].flatMap(
      (one) => [one, "te"],
    ),
  );
  const found = Array.from({ length: fields.count }, (_, index) => names.has(fields, index));
  expect(found).toEqual([true, false, true, true, false, true, false, false]);
});
