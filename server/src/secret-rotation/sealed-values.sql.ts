import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

/** A column of sealed bytes in a table with the primary key `id`. */
export interface SealedPlace {
  table: string;
  column: string;
  /** SQL of a further value in the seal's context. Null: none. */
  also: string | null;
}

export interface SealedRow {
  id: string;
  sealed: Uint8Array;
  also: string;
}

/** Reads all sealed values of a column, with locks until the transaction ends. */
export async function lockSealedValues(
  tx: Tx,
  { table, column, also }: SealedPlace,
): Promise<SealedRow[]> {
  const { rows } = await sql<SealedRow>`
    SELECT id::text AS id, ${sql.ref(column)} AS sealed, ${sql.raw(also ?? "''")} AS also
    FROM ${sql.table(table)} WHERE ${sql.ref(column)} IS NOT NULL FOR UPDATE`.execute(tx);
  return rows;
}

export async function saveSealedValues(
  tx: Tx,
  { table, column }: SealedPlace,
  rows: readonly { id: string; sealed: Uint8Array }[],
): Promise<void> {
  await sql`
    UPDATE ${sql.table(table)} AS stored SET ${sql.ref(column)} = changed.sealed
    FROM unnest(${rows.map(({ id }) => id)}::text[], ${rows.map(({ sealed }) => sealed)}::bytea[])
      AS changed (id, sealed)
    WHERE stored.id::text = changed.id`.execute(tx);
}
