import { sql } from "kysely";
import { expect } from "vitest";
import { test } from "#test/harness/database-test.ts";
import { sealedColumns } from "./sealed-values.ts";

/** Deleted by a rotation, or sealed with the key of the audit log. */
const ownedByAudit = [
  "claimed_change.answer_sealed",
  "claimed_change.result_sealed",
  "retired_audit_key.key_sealed",
];

test("a rotation seals every sealed column of the schema", async ({ db }) => {
  const { rows } = await sql<{ name: string }>`
    SELECT table_name || '.' || column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name LIKE '%sealed'`.execute(db.database);
  const known = sealedColumns.map(({ table, column }) => `${table}.${column}`);
  expect(rows.map(({ name }) => name).sort()).toEqual([...known, ...ownedByAudit].sort());
});
