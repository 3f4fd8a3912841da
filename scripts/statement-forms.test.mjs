import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findMixedStatements } from "./statement-forms.mjs";

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "statements-"));
  writeFileSync(join(root, ".gitignore"), "node_modules/\n");
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (path, ...statements) => writeFileSync(join(root, path), statements.join("\n"));

const RAW_SQL = "const { rows } = await sql`SELECT id FROM member`.execute(tx);";
const WRAPPED_RAW_SQL = "await sql`DELETE FROM member`.execute(\n  deps.database,\n);";
const COMPILED_SQL = "await tx.executeQuery(CompiledQuery.raw(INSERT, values));";
const BUILDER =
  'await db.selectFrom("member").where(sql`id = ANY(SELECT id FROM api_key)`).execute();';
const BUILDER_IN_TRANSACTION = `await db.transaction().execute(async (tx) => {\n${BUILDER}\n});`;

test.each([
  ["raw SQL", RAW_SQL],
  ["wrapped raw SQL", WRAPPED_RAW_SQL],
  ["compiled SQL", COMPILED_SQL],
])("reports a file that has %s beside the query builder", (_, rawSql) => {
  write("members.sql.ts", BUILDER, rawSql);
  expect(findMixedStatements(root, [])).toEqual([
    "mixed statements: members.sql.ts has raw SQL and the query builder. Use one form.",
  ]);
  expect(findMixedStatements(root, ["members.sql.ts"])).toEqual([]);
});

test("accepts files of one form, and statements outside of *.sql.ts", () => {
  write("keys.sql.ts", RAW_SQL, WRAPPED_RAW_SQL, COMPILED_SQL);
  write("members.sql.ts", BUILDER, BUILDER_IN_TRANSACTION);
  write("members.test.ts", BUILDER, RAW_SQL);
  expect(findMixedStatements(root, [])).toEqual([]);
});

test("reports a listed file that has one form or is missing", () => {
  write("keys.sql.ts", RAW_SQL);
  expect(findMixedStatements(root, ["keys.sql.ts", "gone.sql.ts"])).toEqual([
    "mixed statements: keys.sql.ts has one form. Remove it from MIXED_FILES.",
    "mixed statements: gone.sql.ts has one form. Remove it from MIXED_FILES.",
  ]);
});
