import { randomUUID } from "node:crypto";
import type { Database } from "#src/db/pool.ts";

/** Links the member to a person of the directory, as a sign-in does. */
export async function linkDirectory(
  database: Database,
  of: { memberId: string; directoryId: string; now: Date },
): Promise<void> {
  const { issuer } = await database
    .selectFrom("directory")
    .select("issuer")
    .where("id", "=", of.directoryId)
    .executeTakeFirstOrThrow();
  await database
    .insertInto("directory_identity")
    .values({
      ...{ directory_id: of.directoryId, issuer, subject: randomUUID(), external_id: null },
      ...{ member_id: of.memberId, created_at: of.now, last_used_at: of.now },
    })
    .execute();
}
