import type { DateFormat } from "@bursar/contract/admin/preferences.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { SavedView } from "#src/db/preference-tables.ts";

export interface PreferencesRow {
  time_zone: string | null;
  date_format: DateFormat | null;
  saved_views: SavedView[];
  version: number;
}

/** Preferences of a member who has set some. */
export async function findPreferences(
  db: Database | Tx,
  memberId: string,
): Promise<PreferencesRow | null> {
  const row = await db
    .selectFrom("member_preference")
    .select(["time_zone", "date_format", "saved_views", "version"])
    .where("member_id", "=", memberId)
    .executeTakeFirst();
  return row ? { ...row, version: Number(row.version) } : null;
}

/** Locks the member's row until the transaction ends, so that changes of one member run in order. */
export async function lockMember(tx: Tx, memberId: string): Promise<void> {
  await tx
    .selectFrom("member")
    .select("id")
    .where("id", "=", memberId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

export async function savePreferences(
  tx: Tx,
  of: { memberId: string; organizationId: string; row: PreferencesRow },
): Promise<void> {
  const values = {
    time_zone: of.row.time_zone,
    date_format: of.row.date_format,
    saved_views: JSON.stringify(of.row.saved_views),
    version: BigInt(of.row.version),
  };
  await tx
    .insertInto("member_preference")
    .values({ member_id: of.memberId, organization_id: of.organizationId, ...values })
    .onConflict((conflict) => conflict.column("member_id").doUpdateSet(values))
    .execute();
}
