import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toHeaderMap } from "./header-map.ts";

/** Names for which node:http has rules, and others. */
const names = [
  ...["age", "authorization", "content-length", "content-type", "etag", "expires", "from", "host"],
  ...["if-modified-since", "if-unmodified-since", "last-modified", "location", "max-forwards"],
  ...["proxy-authorization", "referer", "retry-after", "server", "user-agent"],
  ...[
    "set-cookie",
    "cookie",
    "accept",
    "connection",
    "date",
    "vary",
    "x-api-key",
    "anthropic-beta",
  ],
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
  const fields = fc.array(fc.tuple(name, fc.string({ maxLength: 4 })), { maxLength: 12 });
  fc.assert(
    fc.property(fields, (pairs) => {
      const rawHeaders = pairs.flat();
      expect(Object.entries(toHeaderMap(rawHeaders))).toEqual(readWithNode(rawHeaders));
    }),
    { numRuns: 2_000 },
  );
});

/** Names and values as an IncomingMessage of node:http has them. */
function readWithNode(rawHeaders: readonly string[]): [string, unknown][] {
  const message = new IncomingMessage(new Socket());
  const add: unknown = Reflect.get(message, "_addHeaderLines");
  if (typeof add !== "function") throw new Error("node:http adds fields in another way");
  Reflect.apply(add, message, [rawHeaders, rawHeaders.length]);
  return Object.entries(message.headers);
}
