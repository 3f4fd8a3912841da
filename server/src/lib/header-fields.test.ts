import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HeaderFields } from "./header-fields.ts";

/** Names for which node:http has rules, and others. */
const names = [
  ...["age", "authorization", "content-length", "content-type", "etag", "expires", "from", "host"],
  ...["if-modified-since", "if-unmodified-since", "last-modified", "location", "max-forwards"],
  ...["proxy-authorization", "referer", "retry-after", "server", "user-agent"],
  ...["cookie", "accept", "connection", "date", "vary", "x-api-key", "anthropic-beta"],
  ...["__proto__", "constructor", "tostring", "origin", "cache-control", "if-none-match"],
];

const name = fc
  .tuple(fc.oneof(fc.constantFrom(...names), fc.stringMatching(/^[a-z-]{1,20}$/)), fc.nat(2))
  .map(([text, form]) => {
    if (form === 0) return text;
    return form === 1
      ? text.toUpperCase()
      : text.replace(/(^|-)[a-z]/g, (part) => part.toUpperCase());
  });

test("joins and drops fields as node:http does", () => {
  const fields = fc.array(fc.tuple(name, fc.stringMatching(/^[!-~]{0,4}$/)), { maxLength: 12 });
  fc.assert(
    fc.property(fields, (pairs) => {
      const rawHeaders = pairs.flat();
      const fields = HeaderFields.fromList(rawHeaders);
      for (const [name, value] of readWithNode(rawHeaders)) {
        expect(fields.find(name.toLowerCase() as Lowercase<string>)).toBe(value);
      }
      expect(fields.find("x-missing")).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});

describe("the fields of a list", () => {
  const fields = HeaderFields.fromList(["X-A", "1", "b", "", "X-A", "two"]);

  test("have their names in lower case and their values as they are", () => {
    expect(fields.count).toBe(3);
    expect(fields.toList()).toEqual(["x-a", "1", "b", "", "x-a", "two"]);
  });

  test("have lines, of which neighbours are one text", () => {
    expect(fields.linesOf(0, 2)).toBe("x-a: 1\r\nb: \r\n");
    expect(fields.linesOf(2, 3)).toBe("x-a: two\r\n");
  });

  test("have a name only if all of it is the same", () => {
    expect(["x-a", "x", "x-a: 1", "b"].map((name) => fields.isNamed(0, name))).toEqual([
      ...[true, false, false, false],
    ]);
  });
});

test.each([
  ["a line end in a value", ["x-a", "1\r\nx-b: 2"]],
  ["a line end in a name", ["x-a: 1\r\nx-b", "2"]],
  ["an empty name", ["", "1"]],
  ["a character outside of latin1", ["x-a", "\u0141"]],
])("refuses a list with %s", (_name, list) => {
  expect(() => HeaderFields.fromList(list)).toThrow(TypeError);
});

/** Names and values as an IncomingMessage of node:http has them. */
function readWithNode(rawHeaders: readonly string[]): [string, unknown][] {
  const message = new IncomingMessage(new Socket());
  const add: unknown = Reflect.get(message, "_addHeaderLines");
  if (typeof add !== "function") throw new Error("node:http adds fields in another way");
  Reflect.apply(add, message, [rawHeaders, rawHeaders.length]);
  return Object.entries(message.headers);
}
