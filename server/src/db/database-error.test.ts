import { once } from "node:events";
import { createServer } from "node:net";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { test } from "#test/harness/database-test.ts";
import { isDiskFull, isUnavailable, isUniqueViolation } from "./database-error.ts";
import { findDurabilityWarning } from "./durability.ts";
import { type Database, openDatabase } from "./pool.ts";
import { inTransaction } from "./transaction.ts";

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error) => error,
  );
}

async function failAt(connectionString: string): Promise<unknown> {
  const database: Database = openDatabase({
    connectionString,
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  try {
    return await errorOf(sql`SELECT 1`.execute(database));
  } finally {
    await database.destroy();
  }
}

describe("isUnavailable", () => {
  test("is true without a server: no port, no socket file, no such host", async () => {
    expect(isUnavailable(await failAt("postgresql://me:any@127.0.0.1:1/bursar"))).toBe(true);
    expect(isUnavailable(await failAt("postgresql://me:any@localhost:1/bursar"))).toBe(true);
    expect(isUnavailable(await failAt("postgresql://me@x/bursar?host=/nowhere/at/all"))).toBe(true);
    expect(isUnavailable(await failAt("postgresql://me:any@no-such-host.invalid/bursar"))).toBe(
      true,
    );
  });

  test("is true if the server disconnects", async () => {
    const server = createServer((socket) => socket.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(isUnavailable(await failAt(`postgresql://me:any@127.0.0.1:${port}/bursar`))).toBe(true);
    server.close();
  });

  test("is true if the server ends the session during a transaction", async ({ db }) => {
    const error = await errorOf(
      inTransaction(db.database, async (tx) => {
        const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
        await sql`SELECT pg_terminate_backend(${rows[0]?.pid ?? 0})`.execute(db.database);
        await sql`SELECT 1`.execute(tx);
      }),
    );
    expect(isUnavailable(error)).toBe(true);
  });

  test("is true of a statement timeout and of a lock conflict", async ({ db }) => {
    const late = inTransaction(db.database, async (tx) => {
      await sql`SET LOCAL statement_timeout = 10`.execute(tx);
      await sql`SELECT pg_sleep(5)`.execute(tx);
    });
    expect(isUnavailable(await errorOf(late))).toBe(true);
    const locked = inTransaction(db.database, async (tx) => {
      await sql`LOCK TABLE installation`.execute(tx);
      await inTransaction(db.database, async (other) => {
        await sql`LOCK TABLE installation NOWAIT`.execute(other);
      });
    });
    expect(isUnavailable(await errorOf(locked))).toBe(true);
  });

  test("is false of a faulty statement and of other errors", async ({ db }) => {
    expect(isUnavailable(await errorOf(sql`SELECT 1 / 0`.execute(db.database)))).toBe(false);
    expect(isUnavailable(await errorOf(sql`SELECT FROM nothing`.execute(db.database)))).toBe(false);
    expect(isUnavailable(new TypeError("x is not a function"))).toBe(false);
    expect(isUnavailable("Connection terminated")).toBe(false);
  });
});

describe("isUniqueViolation", () => {
  test("matches the constraint", async ({ db }) => {
    const insert = () =>
      db.database.insertInto("installation").values({ key: "one", value: "1" }).execute();
    await insert();
    const error = await errorOf(insert());
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, "installation_pkey")).toBe(true);
    expect(isUniqueViolation(error, "another_key")).toBe(false);
    expect(isUnavailable(error)).toBe(false);
    expect(isDiskFull(error)).toBe(false);
  });
});

describe("inTransaction", () => {
  test("commits on return and rolls back on an error", async ({ db }) => {
    const keep = (key: string, outcome: () => string) =>
      inTransaction(db.database, async (tx) => {
        await tx.insertInto("installation").values({ key, value: "1" }).execute();
        return outcome();
      });
    expect(await keep("kept", () => "done")).toBe("done");
    const error = await errorOf(
      keep("dropped", () => {
        throw new Error("changed my mind");
      }),
    );
    expect(error).toEqual(new Error("changed my mind"));
    const rows = await db.database
      .selectFrom("installation")
      .select("key")
      .where("key", "in", ["kept", "dropped"])
      .execute();
    expect(rows).toEqual([{ key: "kept" }]);
  });
});

describe("findDurabilityWarning", () => {
  test("names the settings that are off, and returns null if all are on", async ({ db }) => {
    const { rows } = await sql<{ name: string }>`SELECT name FROM pg_settings
      WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
      ORDER BY name`.execute(db.database);
    const warning = await findDurabilityWarning(db.database);
    if (rows.length === 0) expect(warning).toBe(null);
    else {
      expect(warning).toContain(
        `PostgreSQL runs with ${rows.map(({ name }) => name).join(" and ")} off:`,
      );
    }
  });
});
