import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { formatTable, formatThing, widthOf } from "./format-table.ts";
import { formatYaml } from "./format-yaml.ts";
import { replaceControlCharacters } from "./terminal.ts";

const table = (rows: Record<string, unknown>[], columns = 200, schemaName?: string) =>
  stripVTControlCharacters(formatTable(rows, { columns, schemaName }));

test("sizes columns by their widest cell and aligns numbers right", () => {
  const rows = [
    {
      type: "x",
      id: "wksp_1",
      name: "Research",
      spent_usd: "1234.5",
      requests: 12_345,
      is_default: true,
    },
    { type: "x", id: "wksp_2", name: "日本", spent_usd: 0.0105, requests: 7, is_default: false },
  ];
  expect(table(rows)).toBe(
    [
      "id      name       spent $  requests  is default",
      "wksp_1  Research  1,234.50    12,345  yes",
      "wksp_2  日本        0.0105         7  no",
    ].join("\n"),
  );
});

test("omits empty columns and shows nested objects by their name", () => {
  const rows = [
    {
      id: "a",
      owner: { type: "member", id: "user_1", name: "Ada", email: "ada@example.com" },
      gone: null,
      list: [],
    },
    { id: "b", owner: { type: "workspace" }, gone: null, list: [] },
    { id: "c", owner: { type: "admin_key", id: "adminkey_1" }, gone: null, list: [] },
  ];
  expect(table(rows)).toBe(
    ["id  owner", "a   ada@example.com", "b   workspace", "c   admin_key adminkey_1"].join("\n"),
  );
});

test("shows kind and name of the scope of a limit", () => {
  const of = (scope: object, scope_name: string) => ({
    ...{ type: "spend_limit", id: "spl_1", scope, scope_name, period: "monthly", limit_usd: 50 },
  });
  const rows = [
    of({ type: "member", member_id: "user_1" }, "Ada"),
    of({ type: "tag", tag_id: "tag_1" }, "cost_center: 4711"),
  ];
  expect(table(rows, 200, "SpendLimit")).toBe(
    [
      "id     scope   scope name         period   limit $",
      "spl_1  member  Ada                monthly    50.00",
      "spl_1  tag     cost_center: 4711  monthly    50.00",
    ].join("\n"),
  );
});

test("on a narrow terminal, truncates long texts, then drops columns, and keeps ids and times whole", () => {
  const rows = [
    {
      id: "wksp_0123456789",
      name: "A name that is long",
      created_at: "2026-11-20T12:00:00.000Z",
      note: "x".repeat(30),
    },
  ];
  expect(table(rows, 60)).toBe(
    [
      "id               name         created            note",
      "wksp_0123456789  A name tha…  2026-11-20 12:00Z  xxxxxxxxxx…",
    ].join("\n"),
  );
  expect(table(rows, 40)).toBe(
    ["id               name", "wksp_0123456789  A name that is long"].join("\n"),
  );
  expect(table(rows, 5)).toBe(["id", "wksp_0123456789"].join("\n"));
});

test("prints an object with one field a line and its lists as tables below", () => {
  const thing = {
    type: "x",
    id: "a",
    expires_at: null,
    made: { by: "you" },
    results: [{ email: "e" }],
  };
  expect(stripVTControlCharacters(formatThing(thing, 80))).toBe(
    ["id          a", "expires_at  –", "made.by     you", "", "results", "email", "e"].join("\n"),
  );
});

test("keeps the lines of a multi-line text and replaces control characters", () => {
  const mail = { id: "mail_1", body: { text: "Hello,\n\nopen\u001b[2J this", html: "<p>Hello" } };
  expect(stripVTControlCharacters(formatThing(mail, 80).replaceAll("\ufffd", "?"))).toBe(
    ["id  mail_1", "", "text", "Hello,", "", "open?[2J this"].join("\n"),
  );
});

describe("foreign text cannot control the terminal", () => {
  const hostile = "a\u001b[31mb\u009b2Jc\u202ed\r\ne\u0007";
  test("in a table", () => {
    const [, line] = table([{ name: hostile }]).split("\n");
    const written = formatTable([{ name: hostile }], { columns: 80 });
    for (const sign of ["\u001b[31m", "\u009b", "\u202e", "\u0007"]) {
      expect(written).not.toContain(sign);
    }
    expect(line).toBe("a\ufffd[31mb\ufffd2Jc\ufffdd\ufffd e\ufffd");
  });
  test("in a message", () => {
    expect(replaceControlCharacters("a\u001b]0;x\u0007\tb\nc")).toBe("a\ufffd]0;x\ufffd\tb\nc");
  });
});

test("counts a grapheme of several characters by its width", () => {
  expect(["é", "e\u0301", "日", "👩‍👩‍👧", "ﬁ"].map(widthOf)).toEqual([1, 1, 2, 2, 1]);
});

describe("YAML", () => {
  test("formats objects, lists and null", () => {
    const value = { a: [], b: {}, list: [{ x: 1, more: [true, null] }, "z"], "odd key:": -1.5 };
    expect(formatYaml(value)).toBe(
      [
        "a: []",
        "b: {}",
        "list:",
        "  - x: 1",
        "    more:",
        "      - true",
        "      - null",
        "  - z",
        '"odd key:": -1.5',
      ].join("\n"),
    );
  });

  test.each([
    ["plain words here", "plain words here"],
    ["no", '"no"'],
    ["Null", '"Null"'],
    ["1.50", '"1.50"'],
    ["2026-11-20", '"2026-11-20"'],
    ["", '""'],
    [" a", '" a"'],
    ["a: b", '"a: b"'],
    ["a #b", '"a #b"'],
    ["- a", '"- a"'],
    ["two\nlines", '"two\\nlines"'],
    ["\u0085\u2028\ufeff", '"\\u0085\\u2028\\ufeff"'],
    ["日本 👩", '"日本 👩"'],
  ])("%j is written %s", (text, written) => {
    expect(formatYaml({ text })).toBe(`text: ${written}`);
  });
});
