import fc from "fast-check";
import { CompiledQuery } from "kysely";
import { expect } from "vitest";
import { test as base } from "#test/harness/database-test.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import {
  type ColumnTypes,
  columnParameters,
  columnTexts,
  columnTextsInSlices,
} from "./column-arrays.ts";

interface Row {
  label: string;
  count: bigint;
  status: number | null;
  is_set: boolean;
  at: Date;
  note: string | null;
}

const types: ColumnTypes<Row> = {
  label: "text",
  count: "bigint",
  status: "integer",
  is_set: "boolean",
  at: "timestamptz",
  note: "text",
};

const test = base.extend(
  "throughDatabase",
  ({ db }) =>
    async (rows: readonly Row[]): Promise<unknown[]> => {
      const columns = Object.keys(types).join(", ");
      const statement = `SELECT * FROM unnest(${columnParameters(types)}) AS row (${columns})`;
      const read = await db.database.executeQuery(
        CompiledQuery.raw(statement, columnTexts(types, rows)),
      );
      return read.rows;
    },
);

const hostileText = fc.oneof(
  fc.constantFrom("", " ", "NULL", "null", "{}", '{"a"}', "a,b", '"', "\\", '\\"', "a\nb", "ü€😀"),
  fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !text.includes("\u0000")),
);

const anyRow: fc.Arbitrary<Row> = fc.record({
  label: hostileText,
  count: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  status: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  is_set: fc.boolean(),
  at: fc.integer({ min: 0, max: 2 * SOME_TIME_MS }).map((ms) => new Date(ms)),
  note: fc.option(hostileText),
});

test("PostgreSQL reads every value of a row exactly", async ({ throughDatabase }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 20 }), async (rows) => {
      expect(await throughDatabase(rows)).toEqual(rows);
    }),
    { numRuns: 100 },
  );
});

test("a value that repeats, and null between two equal ones, stay in their rows", async ({
  throughDatabase,
}) => {
  const row: Row = { label: "a", count: 0n, status: 200, is_set: true, at: new Date(0), note: "n" };
  const rows = [row, { ...row, note: null, status: null }, row, row];
  expect(await throughDatabase(rows)).toEqual(rows);
});

test("slices have the same texts", async () => {
  const rows = Array.from({ length: 5_000 }, (_, at) => ({
    label: `row ${at}`,
    count: BigInt(at),
    status: at % 2 === 0 ? null : at,
    is_set: at % 3 === 0,
    at: new Date(SOME_TIME_MS + at),
    note: null,
  }));
  expect(await columnTextsInSlices(types, rows, (row) => row)).toEqual(columnTexts(types, rows));
});
