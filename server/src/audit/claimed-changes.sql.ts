import type { Database, Tx } from "#src/db/pool.ts";

export interface ClaimPlace {
  claim: Uint8Array;
  step: number;
}

export interface NewClaim extends ClaimPlace {
  fingerprint: Uint8Array;
  createdAt: Date;
  /** Rows created at this time or earlier have expired. */
  expiryCutoff: Date;
  /** True: also replaces a row that has not expired. */
  canReplaceActive: boolean;
}

/**
 * Writes the claim's row with an empty result. Returns false if an unexpired row exists. Waits for a transaction that writes
 * the same row, and uses its outcome.
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
          eb.or([
            eb("claimed_change.created_at", "<=", row.expiryCutoff),
            eb.val(row.canReplaceActive),
          ]),
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

export async function saveResponse(
  db: Database,
  row: { claim: Uint8Array; fingerprint: Uint8Array; responseSealed: Uint8Array },
): Promise<void> {
  await db
    .updateTable("claimed_change")
    .set({ answer_sealed: row.responseSealed })
    .where("claim", "=", row.claim)
    .where("step", "=", 0)
    .where("fingerprint", "=", row.fingerprint)
    .execute();
}

export interface ClaimedRow {
  fingerprint: Uint8Array;
  resultSealed: Uint8Array;
  responseSealed: Uint8Array | null;
}

/** Returns the row of a claim that is newer than `expiryCutoff`, or null. */
export async function findClaim(
  db: Database | Tx,
  place: ClaimPlace & { expiryCutoff: Date },
): Promise<ClaimedRow | null> {
  const row = await db
    .selectFrom("claimed_change")
    .select(["fingerprint", "result_sealed as resultSealed", "answer_sealed as responseSealed"])
    .where("claim", "=", place.claim)
    .where("step", "=", place.step)
    .where("created_at", ">", place.expiryCutoff)
    .executeTakeFirst();
  return row ?? null;
}

/** Deletes the expired rows. Returns their number. */
export async function deleteClaimRows(db: Database, expiryCutoff: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("claimed_change")
    .where("created_at", "<=", expiryCutoff)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Deletes every claim, with its sealed data. */
export async function deleteAllClaims(tx: Tx): Promise<void> {
  await tx.deleteFrom("claimed_change").execute();
}
