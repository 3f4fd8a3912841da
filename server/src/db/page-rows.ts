import { type SelectQueryBuilder, type SqlBool, sql } from "kysely";

/** Rows of a list to read: `PageRequest` of domain/page-position.ts. */
export interface RowsOfPage {
  limit: number;
  direction: "older" | "newer";
  from: { createdAtMs: number; id: string } | null;
}

/**
 * Selects the rows of a page beyond its position, in the order of its direction. One extra row shows whether another
 * page exists. `table` has `created_at`, in whole milliseconds, and `id`. A join needs its name.
 */
export function selectPage<Tables, Table extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Table, Row>,
  { limit, direction, from }: RowsOfPage,
  table?: Table & string,
): SelectQueryBuilder<Tables, Table, Row> {
  const column = (name: string) => sql.ref(table === undefined ? name : `${table}.${name}`);
  const [createdAt, id] = [column("created_at"), column("id")];
  const isOlder = direction === "older";
  const order = isOlder ? "desc" : "asc";
  const beyond = sql.raw(isOlder ? "<" : ">");
  const rest =
    from === null
      ? query
      : query.where(
          sql<SqlBool>`(${createdAt}, ${id}) ${beyond} (${new Date(from.createdAtMs)}, ${from.id})`,
        );
  return rest
    .orderBy(createdAt, order)
    .orderBy(id, order)
    .limit(limit + 1);
}
