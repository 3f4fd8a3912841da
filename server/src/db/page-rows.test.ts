import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { fromCursor, nextCursor, type PageRequest, toPage } from "#src/domain/page-position.ts";
import type { TestDatabase } from "#test/harness/database.ts";
import { test } from "#test/harness/database-test.ts";
import { selectPage } from "./page-rows.ts";

const organizationId = randomUUID();
/** Three rows for each time, so only ids distinguish them. Oldest first. */
const rows = Array.from({ length: 9 }, (_, i) => ({
  id: `wksp_${String(i % 3)}${i}`,
  created_at: new Date(1_700_000_000_000 + Math.floor(i / 3)),
}));
const newestFirst = rows.map(({ id }) => id).reverse();

test.beforeAll(async ({ db }) => {
  await db.database
    .insertInto("organization")
    .values({ id: organizationId, name: "Company" })
    .execute();
  const of = { organization_id: organizationId, is_default: false };
  await db.database
    .insertInto("workspace")
    .values(
      rows.map((row) => ({ ...row, ...of, name: row.id, display_color: "#123456", tags: "{}" })),
    )
    .execute();
});

const select = ({ database }: TestDatabase) =>
  database
    .selectFrom("workspace")
    .select(["id", "created_at"])
    .where("organization_id", "=", organizationId);

/** Both tables have an id and a time. */
const selectJoined = ({ database }: TestDatabase) =>
  database
    .selectFrom("workspace")
    .innerJoin("organization", "organization.id", "workspace.organization_id")
    .select(["workspace.id", "workspace.created_at"])
    .where("organization.id", "=", organizationId);

const read = {
  "of one table": (db: TestDatabase, page: PageRequest) => selectPage(select(db), page).execute(),
  "of a join": (db: TestDatabase, page: PageRequest) =>
    selectPage(selectJoined(db), page, "workspace").execute(),
};

test.for(Object.entries(read))(
  "pages %s contain each row once, newest first",
  async ([_, readPage], { db }) => {
    for (let limit = 1; limit <= rows.length + 1; limit++) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const request = fromCursor(cursor, limit, "a list");
        const page = toPage(await readPage(db, request), request);
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        found.push(...page.rows.map(({ id }) => id));
        cursor = nextCursor(page, "a list") ?? undefined;
      } while (cursor !== undefined);
      expect(found).toEqual(newestFirst);
    }
  },
);

test("returns rows newer than a position, nearest first", async ({ db }) => {
  const from = rows[3];
  if (!from) throw new Error("there are nine rows");
  const position = { createdAtMs: from.created_at.getTime(), id: from.id };
  const request: PageRequest = { limit: 2, direction: "newer", from: position };
  const found = await read["of one table"](db, request);
  expect(found.map(({ id }) => id)).toEqual([rows[4]?.id, rows[5]?.id, rows[6]?.id]);
  expect(toPage(found, request).rows.map(({ id }) => id)).toEqual([rows[5]?.id, rows[4]?.id]);
});
