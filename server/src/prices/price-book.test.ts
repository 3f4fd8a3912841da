import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { createTestDatabase } from "#test/harness/database.ts";
import { test as base } from "#test/harness/database-test.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import { makePriceBooks } from "./price-book.ts";

const test = base.extend(
  "override",
  ({ db }) =>
    async (organizationId: string, inputNanoUsd: bigint): Promise<void> => {
      await db.database
        .insertInto("price_override")
        .values({
          id: `price_${randomUUID()}`,
          organization_id: organizationId,
          model: "in-house-model",
          effective_from: new Date(SOME_TIME_MS),
          input_nano_usd: inputNanoUsd,
          cache_write_5m_nano_usd: 2n,
          cache_write_1h_nano_usd: 3n,
          cache_read_nano_usd: 4n,
          output_nano_usd: 5n,
        })
        .execute();
    },
);

test("a reload applies overrides to their own organization, from their start date", async ({
  db,
  override,
}) => {
  const [ours, others] = [randomUUID(), randomUUID()];
  for (const id of [ours, others]) {
    await db.database.insertInto("organization").values({ id, name: "Acme" }).execute();
  }
  const books = makePriceBooks({ database: db.database });
  await override(ours, 1n);
  expect(books.get(ours).find("in-house-model", SOME_TIME_MS)).toBeNull();
  await books.reload();
  expect(books.get(ours).find("in-house-model", SOME_TIME_MS)?.standard).toEqual({
    input: 1n,
    cacheWrite5m: 2n,
    cacheWrite1h: 3n,
    cacheRead: 4n,
    output: 5n,
  });
  expect(books.get(ours).find("in-house-model", SOME_TIME_MS - 1)).toBeNull();
  expect(books.get(others).find("in-house-model", SOME_TIME_MS)).toBeNull();
  expect(books.get(others).isListed("claude-3-5-sonnet-20241022")).toBe(true);
});

test("a failed reload keeps the last price book", async () => {
  const closed = await createTestDatabase();
  const books = makePriceBooks({ database: closed.database });
  await books.reload();
  const before = books.get("x");
  await closed.database.destroy();
  await expect(books.reload()).rejects.toThrow();
  expect(books.get("x")).toBe(before);
  await closed.drop();
});
