import { sql } from "kysely";
import type { LaptopEndReason } from "#src/db/laptop-tables.ts";
import type { Tx } from "#src/db/pool.ts";

/** Ends those of the member's laptops that have not ended, or the one with `laptopId`. Returns their number. */
export async function endLaptops(
  tx: Tx,
  of: { memberId: string; laptopId?: string; now: Date; reason: LaptopEndReason },
): Promise<number> {
  const isNamed = of.laptopId === undefined ? sql`true` : sql`laptop.id = ${of.laptopId}`;
  const condition = sql`laptop.member_id = ${of.memberId} AND ${isNamed}`;
  return (await endWhere(tx, condition, of)).length;
}

/** Ends all laptops of the installation. Returns the organization of each. */
export async function endAllLaptops(tx: Tx, now: Date): Promise<string[]> {
  const ended = await endWhere(tx, sql`true`, { now, reason: "restored" });
  return ended.map(({ organizationId }) => organizationId);
}

async function endWhere(
  tx: Tx,
  condition: ReturnType<typeof sql>,
  { now, reason }: { now: Date; reason: LaptopEndReason },
): Promise<{ organizationId: string }[]> {
  const { rows } = await sql<{ organizationId: string }>`
    WITH ended AS (
      UPDATE api_key_secret AS secret SET valid_until = ${now} FROM laptop
      WHERE secret.id = laptop.secret_id AND secret.valid_until > ${now} AND ${condition}
      RETURNING laptop.id)
    UPDATE laptop SET end_reason = ${reason} FROM ended WHERE laptop.id = ended.id RETURNING laptop.organization_id AS "organizationId"`.execute(
    tx,
  );
  return rows;
}
