import { createTestDatabase } from "./database.ts";
import { test as base } from "./upstream-test.ts";

/** Tests with a migrated database that all tests of a file share. */
export const test = base.extend("db", { scope: "file" }, async ({}, { onCleanup }) => {
  const db = await createTestDatabase();
  onCleanup(() => db.drop());
  return db;
});
