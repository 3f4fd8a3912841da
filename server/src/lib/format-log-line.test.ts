import { expect, test } from "vitest";
import { formatLogLine } from "./format-log-line.ts";
import { chooseLogFormat } from "./logger.ts";

const AT = new Date(2026, 10, 20, 9, 5, 7).getTime();

const format = (line: object, isColoured = false) =>
  formatLogLine(JSON.stringify({ level: 30, time: AT, ...line }), isColoured);

test("a line has the time of day, the level, the message and the fields of one value", () => {
  const line = { msg: "journal replayed", nodeId: "node_1", pending: 0, partitions: ["a", "b"] };
  expect(format(line)).toBe(
    "09:05:07 INFO  journal replayed nodeId=node_1 pending=0 partitions=a,b\n",
  );
});

test("a line shortens long values", () => {
  expect(format({ msg: "m", text: "x".repeat(500) })).toBe(
    `09:05:07 INFO  m text=${"x".repeat(120)}…\n`,
  );
});

test("an object shows its short values", () => {
  const head = { seq: 1, hash: "0".repeat(64), inner: { a: 1 }, none: null };
  expect(format({ msg: "m", head, none: null })).toBe("09:05:07 INFO  m head.seq=1\n");
});

const err = { type: "Error", message: "no route", stack: "Error: no route\n    at a (b.ts:1:1)" };

test("a warning has the message of its error without the stack", () => {
  expect(format({ level: 40, msg: "lost", err })).toBe('09:05:07 WARN  lost error="no route"\n');
});

test("an error has the stack too", () => {
  expect(format({ level: 50, msg: "failed", err })).toBe(
    '09:05:07 ERROR failed error="no route"\n    at a (b.ts:1:1)\n',
  );
});

test("control characters cannot control the terminal", () => {
  const text = format({ msg: "a\u001b[2Jb", path: "/\u009b31m" });
  expect(text).toBe('09:05:07 INFO  a\\u{1b}[2Jb path="/\\\\u{9b}31m"\n');
});

test("colours are used only where they are asked for", () => {
  expect(format({ msg: "m" }, true)).toContain("\u001b[32mINFO");
  expect(format({ msg: "m" })).not.toContain("\u001b");
});

test.each([
  ["auto", true, "pretty"],
  ["auto", false, "json"],
  ["pretty", false, "pretty"],
  ["json", true, "json"],
] as const)("format %s, with a terminal %s: %s", (format, isTerminal, expected) => {
  expect(chooseLogFormat(format, isTerminal)).toBe(expected);
});
