import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CompiledQuery, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Database } from "#src/db/pool.ts";
import { signedTables } from "#src/signed-rows/row-content.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";

const WRITES_SIGNED_ROW = new RegExp(`\\b(INSERT INTO|UPDATE) (${signedTables.join("|")})\\b`, "i");

/** True if the statement writes a table whose rows the server signs. */
export function writesSignedRow(statement: string): boolean {
  return WRITES_SIGNED_ROW.test(statement);
}

/**
 * Runs a statement on the database of a running server, and signs the rows that it wrote. Both are one transaction, because
 * the server refuses a row that is not signed yet.
 */
export async function writeSignedRows<Row>(
  config: pg.ClientConfig,
  of: { dataDir: string; secret: string | undefined },
  { statement, values }: { statement: string; values: readonly unknown[] },
): Promise<Row[]> {
  const secret = of.secret ?? (await readFile(join(of.dataDir, "secret"), "utf8")).trim();
  const dialect = new PostgresDialect({ pool: new pg.Pool({ ...config, max: 1 }) });
  const database: Database = new Kysely({ dialect });
  try {
    return await inSignedTransaction(
      { database, rows: makeRowSigner({ secret }) },
      async (tx) => (await tx.executeQuery<Row>(CompiledQuery.raw(statement, [...values]))).rows,
      { deadlockRetries: 3 },
    );
  } finally {
    await database.destroy();
  }
}
