import { sql } from "kysely";
import type { LaptopEndReason } from "#src/db/laptop-tables.ts";
import type { Tx } from "#src/db/pool.ts";

/** Ends those of the member's laptops that have not ended, or the one with `laptopId`. Returns their number. */
export async function endLaptops(
  tx: Tx,
  of: { memberId: string; laptopId?: string; now: Date; reason: LaptopEndReason },
): Promise<number> {
  const isNamed = of.laptopId === undefined ? sql`true` : sql`laptop.id = ${of.laptopId}`;
  return endWhere(tx, sql`laptop.member_id = ${of.memberId} AND ${isNamed}`, of);
}

async function endWhere(
  tx: Tx,
  condition: ReturnType<typeof sql>,
  { now, reason }: { now: Date; reason: LaptopEndReason },
): Promise<number> {
  const { rows } = await sql`
    WITH ended AS (
      UPDATE api_key_secret AS secret SET valid_until = ${now} FROM laptop
      WHERE secret.id = laptop.secret_id AND secret.valid_until > ${now} AND ${condition}
      RETURNING laptop.id)
    UPDATE laptop SET end_reason = ${reason} FROM ended WHERE laptop.id = ended.id RETURNING laptop.id`.execute(
    tx,
  );
  return rows.length;
}
