import type { Database, Tx } from "#src/db/pool.ts";

/** A model or tool that exceeded a bound. */
export interface ExceededBound {
  id: string;
  kind: "model" | "tool";
  name: string;
  /** Tokens per second of a model, or tokens of the calls that read results of a tool. */
  observed: bigint;
  allowed: bigint;
  requestId: string;
  exceededAt: Date;
}

export type StoredBound = ExceededBound & { organizationId: string };

const columns = [
  "id",
  "kind",
  "name",
  "observed",
  "allowed",
  "request_id as requestId",
  "exceeded_at as exceededAt",
] as const;

/** Lists the rows of all organizations. */
export async function listAllExceededBounds(db: Database): Promise<StoredBound[]> {
  return await db
    .selectFrom("exceeded_bound")
    .select([...columns, "organization_id as organizationId"])
    .execute();
}

/** Lists the organization's rows, newest first. They are few: models and tools of the shipped data. */
export async function listExceededBounds(
  db: Database | Tx,
  organizationId: string,
): Promise<ExceededBound[]> {
  return await db
    .selectFrom("exceeded_bound")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .orderBy("id", "desc")
    .execute();
}

/** Returns false if the organization has a row of this kind and name. */
export async function insertExceededBound(tx: Tx, row: StoredBound): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("exceeded_bound")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      kind: row.kind,
      name: row.name,
      observed: row.observed,
      allowed: row.allowed,
      request_id: row.requestId,
      exceeded_at: row.exceededAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Deletes a row, and returns it. Null: the organization has no row with this id. */
export async function deleteExceededBound(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<ExceededBound | null> {
  const row = await tx
    .deleteFrom("exceeded_bound")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .returning(columns)
    .executeTakeFirst();
  return row ?? null;
}
