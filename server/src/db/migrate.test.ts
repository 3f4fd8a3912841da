// Oldest PostgreSQL: schema
import { createHash } from "node:crypto";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { createEmptyDatabase, type TestDatabase } from "#test/harness/database.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { startSharingPooler } from "#test/harness/sharing-pooler.ts";
import { migrate } from "./migrate.ts";
import type { Migration } from "./migration-files.ts";
import { findServerFault, type ServerFacts } from "./server-checks.ts";

planForValues();

const opened: TestDatabase[] = [];
afterEach(async () => {
  for (const database of opened.splice(0)) await database.drop();
});

async function emptyDatabase(): Promise<string> {
  const made = await createEmptyDatabase();
  opened.push(made);
  return made.connectionString;
}

function migration(number: number, name: string, sql: string): Migration {
  return { number, name, sql, sha256: createHash("sha256").update(sql).digest("hex") };
}

const first = migration(1, "first", "CREATE TABLE first (id integer PRIMARY KEY)");
const second = migration(2, "second", "ALTER TABLE first ADD COLUMN note text");

async function query<Row extends object>(connectionString: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

function names(result: { applied: readonly { name: string }[] }): string[] {
  return result.applied.map(({ name }) => name);
}

describe("an external server", () => {
  const fit: ServerFacts = {
    version_number: "150000",
    version: "15.0",
    encoding: "UTF8",
    is_standby: false,
    is_read_only: "off",
    schema: "public",
    may_create: true,
  };

  test("is suitable from PostgreSQL 15 on", () => {
    expect(findServerFault(fit)).toBe(null);
    expect(findServerFault({ ...fit, version_number: "140020", version: "14.20" })).toBe(
      "PostgreSQL 14.20 is too old: Bursar needs 15 or newer. Upgrade the server.",
    );
  });

  test("is unsuitable as a standby, with another encoding, and without permission to create tables", () => {
    expect(findServerFault({ ...fit, is_standby: true })).toContain(
      "Set DATABASE_URL to the primary",
    );
    expect(findServerFault({ ...fit, encoding: "SQL_ASCII" })).toContain("ENCODING 'UTF8'");
    expect(findServerFault({ ...fit, may_create: false })).toBe(
      'The role has no permission to create tables in the schema "public". ' +
        "Make it the owner of the database, or GRANT CREATE ON SCHEMA to it.",
    );
  });
});

describe("migrate", () => {
  test("applies missing migrations in order and returns them", async () => {
    const connectionString = await emptyDatabase();
    const once = await migrate({ connectionString, migrations: [first] });
    expect([names(once), once.schemaNumber]).toEqual([["first"], 1]);
    const twice = await migrate({ connectionString, migrations: [first, second] });
    expect([names(twice), twice.schemaNumber]).toEqual([["second"], 2]);
    const again = await migrate({ connectionString, migrations: [first, second] });
    expect(again).toEqual({ applied: [], schemaNumber: 2 });
    expect(
      await query(connectionString, "SELECT number, name, sha256 FROM schema_migration ORDER BY 1"),
    ).toEqual([
      { number: 1, name: "first", sha256: first.sha256 },
      { number: 2, name: "second", sha256: second.sha256 },
    ]);
  });

  test("leaves no open connection, whose loss would end the process", async () => {
    const connectionString = await emptyDatabase();
    await migrate({ connectionString });
    const others = `SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
    // The server's process of a closed connection ends a moment later.
    await expect.poll(() => query(connectionString, others)).toEqual([]);
  });

  test("concurrent nodes on one database apply each migration once", async () => {
    const connectionString = await emptyDatabase();
    const slow = migration(1, "slow", "CREATE TABLE slow (id integer); SELECT pg_sleep(0.2)");
    const results = await Promise.all(
      [1, 2, 3, 4].map(() => migrate({ connectionString, migrations: [slow] })),
    );
    expect(results.flatMap(names)).toEqual(["slow"]);
    expect(results.map(({ schemaNumber }) => schemaNumber)).toEqual([1, 1, 1, 1]);
  });

  test("a failed migration leaves the earlier schema, and the next start continues there", async () => {
    const connectionString = await emptyDatabase();
    const broken = migration(2, "broken", "CREATE TABLE half (id integer); SELECT 1 / 0");
    await expect(migrate({ connectionString, migrations: [first, broken] })).rejects.toThrow(
      "Migration 2 (broken) failed and was rolled back: division by zero",
    );
    expect(await query(connectionString, "SELECT to_regclass('half') AS half")).toEqual([
      { half: null },
    ]);
    expect(names(await migrate({ connectionString, migrations: [first, second] }))).toEqual([
      "second",
    ]);
  });

  test("refuses a migration that changed after it was applied", async () => {
    const connectionString = await emptyDatabase();
    await migrate({ connectionString, migrations: [first, second] });
    const changed = migration(1, "first", "CREATE TABLE first (id bigint PRIMARY KEY)");
    await expect(migrate({ connectionString, migrations: [changed, second] })).rejects.toThrow(
      "Migration 1 (first) in the database differs from the one of this Bursar (first): a migration file was changed",
    );
  });

  test("refuses a database with tables of another program and does not change it", async () => {
    const connectionString = await emptyDatabase();
    await query(connectionString, "CREATE SCHEMA shop; CREATE TABLE shop.orders (id integer)");
    await expect(migrate({ connectionString, migrations: [first] })).rejects.toThrow(
      "The database is not empty and not Bursar's (it has shop.orders). Bursar needs its own database",
    );
    await query(connectionString, "CREATE TABLE schema_migration (version text)");
    await expect(migrate({ connectionString, migrations: [first] })).rejects.toThrow(
      "(it has public.schema_migration, shop.orders)",
    );
    expect(await query(connectionString, "SELECT to_regclass('first') AS first")).toEqual([
      { first: null },
    ]);
  });

  test("additional tables do not prevent a later start", async () => {
    const connectionString = await emptyDatabase();
    await migrate({ connectionString, migrations: [first] });
    await query(connectionString, "CREATE TABLE report_of_mine (id integer)");
    expect(names(await migrate({ connectionString, migrations: [first, second] }))).toEqual([
      "second",
    ]);
  });

  test("refuses a read-only database", async () => {
    const connectionString = await emptyDatabase();
    const url = new URL(connectionString);
    url.searchParams.set("options", "-c default_transaction_read_only=on");
    await expect(migrate({ connectionString: url.href, migrations: [first] })).rejects.toThrow(
      "The database is read-only",
    );
  });

  test("refuses a role without permission to create tables and names the grant", async () => {
    const connectionString = await emptyDatabase();
    await query(connectionString, "CREATE SCHEMA closed");
    const url = new URL(connectionString);
    url.searchParams.set("options", "-c search_path=missing");
    await expect(migrate({ connectionString: url.href, migrations: [first] })).rejects.toThrow(
      "The role has no permission to create tables in any schema. Make it the owner of the database",
    );
  });

  test("refuses a pooler that shares sessions between clients", async () => {
    const connectionString = await emptyDatabase();
    const pooler = await startSharingPooler(connectionString, { sessions: 2 });
    try {
      await expect(
        migrate({ connectionString: pooler.connectionString, migrations: [first] }),
      ).rejects.toThrow("DATABASE_URL points to a pooler that shares sessions between clients");
    } finally {
      await pooler.close();
    }
  });

  test("refuses a sharing pooler with a single session", async () => {
    const connectionString = await emptyDatabase();
    const pooler = await startSharingPooler(connectionString, { sessions: 1 });
    try {
      await expect(
        migrate({ connectionString: pooler.connectionString, migrations: [first] }),
      ).rejects.toThrow("DATABASE_URL points to a pooler that shares sessions between clients");
    } finally {
      await pooler.close();
    }
  });

  test("identifies a pooler that refuses start-up settings", async () => {
    const connectionString = await emptyDatabase();
    const pooler = await startSharingPooler(connectionString, { sessions: 2, isStrict: true });
    try {
      await expect(
        migrate({ connectionString: pooler.connectionString, migrations: [first] }),
      ).rejects.toThrow(
        "The address is a pooler. Set DATABASE_URL to the address of PostgreSQL itself.",
      );
    } finally {
      await pooler.close();
    }
  });

  test("names an unreachable server without the password", async () => {
    const attempt = migrate({ connectionString: "postgresql://me:hush@127.0.0.1:1/bursar" });
    await expect(attempt).rejects.toThrow(
      "Cannot connect to PostgreSQL at 127.0.0.1:1/bursar: connect ECONNREFUSED 127.0.0.1:1.",
    );
    await expect(attempt).rejects.not.toThrow("hush");
  });
});
