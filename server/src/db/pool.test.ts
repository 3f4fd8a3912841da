import { sql } from "kysely";
import { expect } from "vitest";
import { startDatabaseRelay } from "#test/harness/database-relay.ts";
import { test as base } from "#test/harness/database-test.ts";
import { isUnavailable } from "./database-error.ts";
import { openDatabase } from "./pool.ts";

const test = base
  /** Connections to the database other than that of the query. */
  .extend("countOthers", ({ db }) => async (): Promise<number> => {
    const { rows } = await sql<{ others: number }>`
    SELECT count(*)::integer AS others FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(db.database);
    return rows[0]?.others ?? -1;
  });

test("treats a silent server as unavailable: the statement fails, and the pool can be closed", async ({
  db,
}) => {
  const database = openDatabase({
    connectionString: db.connectionString,
    maxConnections: 1,
    onIdleError: () => undefined,
    // A connection attempt does not count as silence, however busy the machine is.
    silenceMs: 2_000,
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

test("keeps an idle connection for longer than a statement may be silent", async ({ db }) => {
  const database = openDatabase({
    connectionString: db.connectionString,
    maxConnections: 1,
    onIdleError: () => undefined,
    silenceMs: 2_000,
    maxIdleMs: 60_000,
  });
  const readPid = () => sql`SELECT pg_backend_pid() AS pid`.execute(database);
  const before = await readPid();
  await sql`SELECT pg_sleep(2.5)`.execute(db.database);
  expect((await readPid()).rows).toEqual(before.rows);
  await database.destroy();
});

test("a process that is paused in a transaction does not block its rows", async ({ db }) => {
  const options = {
    connectionString: db.connectionString,
    maxConnections: 1,
    onIdleError: () => undefined,
  };
  const stopped = openDatabase({ ...options, idleTransactionMs: 1_000 });
  const other = openDatabase(options);
  const { promise: goesOn, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: hasLocked, resolve: locked } = Promise.withResolvers<void>();
  const stuck = stopped.transaction().execute(async (tx) => {
    await tx.selectFrom("limits_version").selectAll().forUpdate().execute();
    locked();
    await goesOn;
    await tx.updateTable("limits_version").set({ value: 5n }).execute();
  });
  await hasLocked;
  await other.updateTable("limits_version").set({ value: 7n }).execute();
  goOn();
  const error = await stuck.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(isUnavailable(error)).toBe(true);
  const row = await stopped.selectFrom("limits_version").select("value").executeTakeFirstOrThrow();
  expect(row.value).toBe(7n);
  await Promise.all([stopped.destroy(), other.destroy()]);
});

test("a closed pool has no open connections", async ({ db, countOthers }) => {
  await sql`SELECT 1`.execute(db.database);
  const before = await countOthers();
  const closed = openDatabase({
    connectionString: db.connectionString,
    maxConnections: 3,
    onIdleError: () => undefined,
  });
  await Promise.all([1, 2, 3].map(() => sql`SELECT pg_sleep(0.05)`.execute(closed)));
  expect(await countOthers()).toBe(before + 3);
  await closed.destroy();
  expect(await countOthers()).toBe(before);
});

test("a pool can be closed without a responding server", async ({ db }) => {
  const relay = await startDatabaseRelay(db.connectionString);
  const closed = openDatabase({
    connectionString: relay.connectionString,
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  await sql`SELECT 1`.execute(closed);
  relay.cut();
  await closed.destroy();
  await relay.close();
});

test("reports the loss of an idle connection briefly and replaces it", async ({ db }) => {
  const told: Error[] = [];
  const database = openDatabase({
    connectionString: db.connectionString,
    maxConnections: 1,
    onIdleError: (error) => told.push(error),
  });
  const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(database);
  await sql`SELECT pg_terminate_backend(${rows[0]?.pid})`.execute(db.database);
  await expect.poll(() => told.length).toBe(1);
  expect(told[0]?.message).toContain("terminating connection");
  expect(told[0]).not.toHaveProperty("client");
  expect((await sql`SELECT 1 AS one`.execute(database)).rows).toEqual([{ one: 1 }]);
  await database.destroy();
});

test("runs without JIT compilation, also where the database enables it", async ({ db }) => {
  const name = db.database.selectNoFrom(sql<string>`current_database()`.as("name"));
  const row = await name.executeTakeFirstOrThrow();
  await sql`ALTER DATABASE ${sql.id(row.name)} SET jit = on`.execute(db.database);
  const database = openDatabase({
    connectionString: db.connectionString,
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  const { rows } = await sql`SHOW jit`.execute(database);
  expect(rows).toEqual([{ jit: "off" }]);
  await database.destroy();
});
