import fc from "fast-check";
import { expect, test } from "vitest";
import { fromInert, toCsv } from "#src/lib/csv.ts";
import { readTagFile } from "./read-tag-file.ts";
import { type Faults, listDifferences } from "./tag-file.rule.ts";

async function read(text: string) {
  const faults: Faults = { count: 0, first: [] };
  const file = await readTagFile(text, faults);
  return { file, faults: faults.first.map(({ line, column, code }) => [line, column, code]) };
}

test.for([
  ["kind,id,tag:team\nworkspace,a,ads\n"],
  ["\uFEFFkind;id;tag:team\r\nworkspace;a;ads\r\n"],
  ["kind\tid\ttag:team\nworkspace\ta\tads"],
  ['"tag:team","kind","id"\n" ads ","workspace","a"\n,,\n'],
  ['"tag: team";kind;id;name;workspace\rads;workspace;a;"Research; x";y\r'],
] as const)("the form %j is read", async ([text]) => {
  const { file, faults } = await read(text);
  expect(faults).toEqual([]);
  expect(file?.rows).toEqual([{ line: 2, kind: "workspace", id: "a", values: ["ads"] }]);
});

test("lines are counted as a spreadsheet counts rows", async () => {
  const { file } = await read('kind,id,name\nworkspace,a,"two\nlines"\n\nworkspace,b,B\n');
  expect(file?.rows.map(({ line, id }) => [line, id])).toEqual([
    [2, "a"],
    [4, "b"],
  ]);
});

const long = "x".repeat(257);
test.for([
  ["", [[1, null, "rows_missing"]]],
  ["kind,id\n", [[1, null, "rows_missing"]]],
  ["kind,id\nworkspace,\uFFFD", [[2, null, "encoding_invalid"]]],
  ["k\0i\0n\0d\0", [[1, null, "encoding_invalid"]]],
  ['kind,id\nworkspace,"a', [[2, null, "csv_malformed"]]],
  ['kind,id\nworkspace,"a\nworkspace,b\n', [[2, null, "csv_malformed"]]],
  [
    "name,tag:team",
    [
      [1, "kind", "column_missing"],
      [1, "id", "column_missing"],
    ],
  ],
  ["kind,id,cost_center", [[1, "cost_center", "column_unknown"]]],
  ["kind,id,tag:a,tag:a", [[1, "tag:a", "column_duplicate"]]],
  [
    "kind,id,tag:,tag:a=b",
    [
      [1, "tag:", "tag_name_invalid"],
      [1, "tag:a=b", "tag_name_invalid"],
    ],
  ],
  [
    `kind,id${Array.from({ length: 201 }, (_, i) => `,tag:t${i}`).join("")}`,
    [[1, null, "too_many_columns"]],
  ],
  [
    "kind,id\nmember,a\nworkspace,",
    [
      [2, "kind", "kind_unknown"],
      [3, "id", "resource_not_found"],
    ],
  ],
  [
    "kind,id\nworkspace\nworkspace,a,b",
    [
      [2, null, "cell_count_wrong"],
      [3, null, "cell_count_wrong"],
    ],
  ],
  ["kind,id\nworkspace,a\napi_key,a\nworkspace,a", [[4, "id", "row_duplicate"]]],
  [`kind,id,tag:a\nworkspace,a,${long}`, [[2, "tag:a", "tag_value_invalid"]]],
  [`kind,id${"\nworkspace,a".repeat(20_001)}`, "too_many_rows"],
] as const)("the faults of %# are listed by line", async ([text, expected]) => {
  const { faults } = await read(text);
  if (expected === "too_many_rows")
    expect(faults.map(([, , code]) => code)).toContain("row_duplicate");
  else expect(faults).toEqual(expected);
});

test("an empty cell removes a tag, and a tag without a column stays", async () => {
  const { file } = await read("kind,id,tag:a,tag:b,tag:c\nworkspace,w,,new,same\n");
  const before = { tags: { a: "1", c: "same", d: "kept" }, ranks: {} };
  const [row] = file?.rows ?? [];
  if (!file || !row) throw new Error("the file has a row");
  expect(listDifferences(before, row, file.columns)).toEqual({ a: null, b: "new" });
  const emptied = { tags: { a: "", b: "new", c: "same" }, ranks: {} };
  expect(listDifferences(emptied, row, file.columns)).toEqual({});
});

test("every exported text is read back unchanged", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("'", "=", "+", "-", "@", "a", " ", "＝") }),
      (text) => {
        const cell = toCsv([[text]]).replace(/\r\n$/, "");
        expect(fromInert(cell.replace(/^"|"$/g, ""))).toBe(text);
      },
    ),
  );
});
