import { createTestDatabase } from "./database.ts";
import { test as base } from "./upstream-test.ts";

/** Tests that share a migrated database in each file. */
export const test = base.extend("db", { scope: "file" }, async ({}, { onCleanup }) => {
  const db = await createTestDatabase();
  onCleanup(() => db.drop());
  return db;
});
