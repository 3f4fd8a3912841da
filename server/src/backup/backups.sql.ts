import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface NewBackup {
  madeAt: Date;
  fileName: string;
  sizeBytes: number;
  sha256: Uint8Array;
  requests: number;
  isEncrypted: boolean;
  actor: { type: string; id: string };
}

const KEEP_DAYS = 400;

/** Inserts a backup and deletes records older than KEEP_DAYS. */
export async function insertBackup(tx: Tx, backup: NewBackup): Promise<void> {
  await tx
    .insertInto("backup")
    .values({
      made_at: backup.madeAt,
      finished_at: sql<Date>`date_trunc('milliseconds', now())`,
      file_name: backup.fileName,
      size_bytes: BigInt(backup.sizeBytes),
      sha256: backup.sha256,
      requests: BigInt(backup.requests),
      is_encrypted: backup.isEncrypted,
      has_secret: backup.isEncrypted,
      made_by_type: backup.actor.type,
      made_by_id: backup.actor.id,
    })
    .execute();
  await tx
    .deleteFrom("backup")
    .where("made_at", "<", sql<Date>`now() - make_interval(days => ${KEEP_DAYS}::integer)`)
    .execute();
}

export async function findNewestBackupTime(db: Database): Promise<Date | null> {
  const row = await db
    .selectFrom("backup")
    .select("made_at")
    .orderBy("made_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.made_at ?? null;
}
