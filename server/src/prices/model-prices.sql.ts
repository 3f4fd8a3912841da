import { tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PriceOverride } from "#src/domain/price-book.ts";

/** Lists all overrides of the organization, including past and future ones. */
export async function listPriceOverrides(
  db: Database | Tx,
  organizationId: string,
): Promise<PriceOverride[]> {
  const rows = await db
    .selectFrom("price_override")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("model")
    .orderBy("effective_from")
    .execute();
  return rows.map((row) => ({
    model: row.model,
    effectiveFromMs: row.effective_from.getTime(),
    prices: toRecord(tokenPrices, "cost", ({ column }) => row[column]),
  }));
}

/** Throws a unique violation if the model already has an override with this start. */
export async function insertPriceOverride(
  tx: Tx,
  row: PriceOverride & { id: string; organizationId: string; createdAt: Date },
): Promise<void> {
  await tx
    .insertInto("price_override")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      model: row.model,
      effective_from: new Date(row.effectiveFromMs),
      ...toRecord(tokenPrices, "column", ({ cost }) => row.prices[cost]),
      created_at: row.createdAt,
    })
    .execute();
}
