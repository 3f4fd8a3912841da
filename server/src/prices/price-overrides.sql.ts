import { tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PriceOverride } from "#src/domain/price-book.ts";

/** Lists all price overrides of the installation with their organizations. */
export async function listPriceOverrides(
  db: Database | Tx,
): Promise<(PriceOverride & { organizationId: string })[]> {
  const rows = await db.selectFrom("price_override").selectAll().execute();
  return rows.map((row) => ({
    organizationId: row.organization_id,
    model: row.model,
    effectiveFromMs: row.effective_from.getTime(),
    prices: toRecord(tokenPrices, "cost", ({ column }) => row[column]),
  }));
}
