import type { Database, Tx } from "#src/db/pool.ts";
import type { PriceOverride } from "#src/domain/price-book.ts";

/** Every override the organization ever made, those that are not in force yet included. */
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
    prices: {
      input: row.input_nano_usd,
      cacheWrite5m: row.cache_write_5m_nano_usd,
      cacheWrite1h: row.cache_write_1h_nano_usd,
      cacheRead: row.cache_read_nano_usd,
      output: row.output_nano_usd,
    },
  }));
}

/** Throws a unique violation where the model already has an override from this very moment. */
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
      input_nano_usd: row.prices.input,
      cache_write_5m_nano_usd: row.prices.cacheWrite5m,
      cache_write_1h_nano_usd: row.prices.cacheWrite1h,
      cache_read_nano_usd: row.prices.cacheRead,
      output_nano_usd: row.prices.output,
      created_at: row.createdAt,
    })
    .execute();
}
