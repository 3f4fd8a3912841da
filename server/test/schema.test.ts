// Oldest PostgreSQL: schema
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeSchema } from "#src/db/describe-schema.ts";
import { migrate } from "#src/db/migrate.ts";
import { type Migration, readMigrations } from "#src/db/migration-files.ts";
import { createEmptyDatabase, type TestDatabase } from "#test/harness/database.ts";

const SCHEMA_FILE = join(import.meta.dirname, "../src/db/schema.sql");

let empty: TestDatabase;
let migrations: Migration[];

beforeAll(async () => {
  empty = await createEmptyDatabase();
  migrations = await readMigrations();
  await migrate({ connectionString: empty.connectionString, migrations });
});
afterAll(() => empty.drop());

describe("schema", () => {
  test("migrations from empty produce the committed schema.sql (refresh: node server/src/db/dump-schema.ts)", async () => {
    const committed = (await readFile(SCHEMA_FILE, "utf8")).replaceAll("\r\n", "\n");
    expect(await describeSchema(empty.connectionString)).toBe(committed);
  });

  test("a schema newer than the program is refused and unchanged", async () => {
    const newest = migrations.length + 1;
    const newer: Migration = {
      number: newest,
      name: "later",
      sql: "CREATE TABLE later (id integer)",
      sha256: "f".repeat(64),
    };
    await migrate({
      connectionString: empty.connectionString,
      migrations: [...migrations, newer],
    });
    const before = await describeSchema(empty.connectionString);
    await expect(migrate({ connectionString: empty.connectionString, migrations })).rejects.toThrow(
      `The database has schema ${newest} (later), but this Bursar supports schemas up to ${migrations.length}: ` +
        "a newer Bursar has upgraded it. Start that version or a newer one: a schema is never downgraded.",
    );
    expect(await describeSchema(empty.connectionString)).toBe(before);
  });
});
