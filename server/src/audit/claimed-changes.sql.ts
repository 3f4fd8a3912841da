import type { Database, Tx } from "#src/db/pool.ts";

export interface ClaimPlace {
  claim: Uint8Array;
  step: number;
}

export interface NewClaim extends ClaimPlace {
  fingerprint: Uint8Array;
  createdAt: Date;
  /** A row that is as old as this, or older, counts as gone. */
  goneBy: Date;
  /** Takes the place of a row that is not gone, too. */
  replaces: boolean;
}

/**
 * Writes the claim's row with an empty result. False where a row is there that counts. Waits for a transaction that is
 * writing the same row, and sees what became of it.
 */
export async function insertClaim(tx: Tx, row: NewClaim): Promise<boolean> {
  const inserted = await tx
    .insertInto("claimed_change")
    .values({
      claim: row.claim,
      step: row.step,
      fingerprint: row.fingerprint,
      result_sealed: new Uint8Array(),
      created_at: row.createdAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["claim", "step"])
        .doUpdateSet((eb) => ({
          fingerprint: eb.ref("excluded.fingerprint"),
          result_sealed: eb.ref("excluded.result_sealed"),
          answer_sealed: null,
          created_at: eb.ref("excluded.created_at"),
        }))
        .where((eb) =>
          eb.or([eb("claimed_change.created_at", "<=", row.goneBy), eb.val(row.replaces)]),
        ),
    )
    .returning("step")
    .executeTakeFirst();
  return inserted !== undefined;
}

export async function saveResult(
  tx: Tx,
  row: ClaimPlace & { resultSealed: Uint8Array },
): Promise<void> {
  await tx
    .updateTable("claimed_change")
    .set({ result_sealed: row.resultSealed })
    .where("claim", "=", row.claim)
    .where("step", "=", row.step)
    .execute();
}

export async function saveAnswer(
  db: Database,
  row: { claim: Uint8Array; fingerprint: Uint8Array; answerSealed: Uint8Array },
): Promise<void> {
  await db
    .updateTable("claimed_change")
    .set({ answer_sealed: row.answerSealed })
    .where("claim", "=", row.claim)
    .where("step", "=", 0)
    .where("fingerprint", "=", row.fingerprint)
    .execute();
}

export interface ClaimedRow {
  fingerprint: Uint8Array;
  resultSealed: Uint8Array;
  answerSealed: Uint8Array | null;
}

/** The row of a claim that is younger than `goneBy`, or null. */
export async function findClaim(
  db: Database | Tx,
  place: ClaimPlace & { goneBy: Date },
): Promise<ClaimedRow | null> {
  const row = await db
    .selectFrom("claimed_change")
    .select(["fingerprint", "result_sealed as resultSealed", "answer_sealed as answerSealed"])
    .where("claim", "=", place.claim)
    .where("step", "=", place.step)
    .where("created_at", ">", place.goneBy)
    .executeTakeFirst();
  return row ?? null;
}

/** Deletes the rows that are gone, and gives how many. */
export async function deleteGoneClaims(db: Database, goneBy: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("claimed_change")
    .where("created_at", "<=", goneBy)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
