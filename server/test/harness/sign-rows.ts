import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Database } from "#src/db/pool.ts";
import { signedTables } from "#src/signed-rows/row-content.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { signAllRows } from "#src/signed-rows/signed-transaction.ts";

const WRITES_SIGNED_ROW = new RegExp(`\\b(INSERT INTO|UPDATE) (${signedTables.join("|")})\\b`, "i");

/** True if the statement writes a table whose rows the server signs. */
export function writesSignedRow(statement: string): boolean {
  return WRITES_SIGNED_ROW.test(statement);
}

/** Signs rows that a test wrote to the database of a running server, as the server would. */
export async function signRowsAsServer(
  config: pg.ClientConfig,
  of: { dataDir: string; secret: string | undefined },
): Promise<void> {
  const secret = of.secret ?? (await readFile(join(of.dataDir, "secret"), "utf8")).trim();
  const dialect = new PostgresDialect({ pool: new pg.Pool({ ...config, max: 1 }) });
  const database: Database = new Kysely({ dialect });
  try {
    await database.transaction().execute((tx) => signAllRows(tx, makeRowSigner({ secret })));
  } finally {
    await database.destroy();
  }
}
