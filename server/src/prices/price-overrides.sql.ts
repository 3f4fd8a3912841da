import type { Database, Tx } from "#src/db/pool.ts";
import type { PriceOverride } from "#src/domain/price-book.ts";

/** Every price override of the installation, with the organization that set it. */
export async function listPriceOverrides(
  db: Database | Tx,
): Promise<(PriceOverride & { organizationId: string })[]> {
  const rows = await db.selectFrom("price_override").selectAll().execute();
  return rows.map((row) => ({
    organizationId: row.organization_id,
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
