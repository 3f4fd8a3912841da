import fc from "fast-check";
import { expect, test } from "vitest";
import { fromCursor, nextCursor, type PageRequest, toPage } from "./page-position.ts";

interface Row {
  createdAtMs: number;
  id: string;
}
const positionOf = ({ createdAtMs, id }: Row) => ({ createdAtMs, id });
const isBefore = (a: Row, b: Row) =>
  a.createdAtMs < b.createdAtMs || (a.createdAtMs === b.createdAtMs && a.id < b.id);

/** Selects rows of a list in memory, like the SQL statements. */
function select(rows: readonly Row[], page: PageRequest): Row[] {
  const { from } = page;
  const sorted = rows.toSorted((a, b) => (isBefore(a, b) ? 1 : -1));
  const ordered = page.direction === "older" ? sorted : sorted.toReversed();
  return ordered
    .filter(
      (row) => !from || (page.direction === "older" ? isBefore(row, from) : isBefore(from, row)),
    )
    .slice(0, page.limit + 1);
}

const rowsArbitrary = fc.uniqueArray(
  fc.record({
    createdAtMs: fc.integer({ min: 0, max: 3 }),
    id: fc.string({ maxLength: 3 }).map((t) => `i${t.replaceAll("\0", "")}`),
  }),
  { selector: ({ id }) => id, maxLength: 20 },
);

test("the cursor returns every row once, newest first, for any page size", () => {
  fc.assert(
    fc.property(rowsArbitrary, fc.integer({ min: 1, max: 7 }), (rows, limit) => {
      const seen: Row[] = [];
      let cursor: string | undefined;
      do {
        const request = fromCursor(cursor, limit, "filters");
        const page = toPage(select(rows, request), request, positionOf);
        seen.push(...page.rows);
        cursor = nextCursor(page, "filters") ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(rows.toSorted((a, b) => (isBefore(a, b) ? 1 : -1)));
    }),
  );
});

test("going back from a page returns the previous page", () => {
  fc.assert(
    fc.property(rowsArbitrary, fc.integer({ min: 1, max: 5 }), (rows, limit) => {
      const all = rows.toSorted((a, b) => (isBefore(a, b) ? 1 : -1));
      const index = Math.floor(all.length / 2);
      const from = all[index];
      if (!from) return;
      const request: PageRequest = { limit, direction: "newer", from };
      const page = toPage(select(rows, request), request, positionOf);
      expect(page.rows).toEqual(all.slice(Math.max(0, index - limit), index));
      expect(page.hasMore).toBe(index > limit);
    }),
  );
});

test("rejects any other text with a 400", () => {
  const refused = (text: string) => {
    try {
      fromCursor(text, 1, "filters");
      return false;
    } catch (error) {
      return (error as { code?: string }).code === "invalid_cursor";
    }
  };
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const last = { createdAtMs: 5, id: "a" };
  const good = nextCursor({ rows: [last], first: last, last, hasMore: true }, "filters");
  const [digest] = JSON.parse(Buffer.from(good ?? "", "base64url").toString("utf8")) as [string];
  for (const value of [
    null,
    {},
    [],
    [digest],
    [digest, "5", "a"],
    [digest, 5.5, "a"],
    [digest, 5, 7],
    [digest, 5, "a", 1],
    [digest, 1e300, "a"],
    [digest, 9e15, "a"],
    [digest, 5, "a\0"],
    [7, 5, "a"],
  ]) {
    expect([value, refused(base64(value))]).toEqual([value, true]);
  }
  fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => refused(text)));
  expect(fromCursor(good ?? "", 1, "filters").from).toEqual({ createdAtMs: 5, id: "a" });
});
