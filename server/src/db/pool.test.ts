import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { isUnavailable } from "./database-error.ts";
import { openDatabase } from "./pool.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

test("a server that falls silent is one that is away: the statement fails, and the pool can be closed", async () => {
  const database = openDatabase({
    connectionString: db.connectionString,
    maxConnections: 1,
    onIdleError: () => undefined,
    silenceMs: 200,
  });
  const silent = database.transaction().execute((tx) => sql`SELECT pg_sleep(60)`.execute(tx));
  const error = await silent.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(isUnavailable(error)).toBe(true);
  const { rows } = await sql<{ one: number }>`SELECT 1 AS one`.execute(database);
  expect(rows).toEqual([{ one: 1 }]);
  await database.destroy();
});
