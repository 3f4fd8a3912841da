import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Tx } from "#src/db/pool.ts";
import type { NewFiring } from "#src/domain/new-firing.ts";
import { newId } from "#src/lib/ids.ts";
import { insertFirings } from "./firings.sql.ts";
import { queueDeliveries } from "./queue-deliveries.ts";
import type { AlertingDeps, RecordedFiring } from "./recorded-firing.ts";

/**
 * Puts firings on record in the caller's transaction, each once: what stands there already, also from another node at this
 * moment, is left out. Messages about the others are queued in the same transaction, unless their alert is muted. Gives
 * what was recorded. Balances that the transaction locks are locked before.
 */
export async function recordFirings(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly NewFiring[],
): Promise<RecordedFiring[]> {
  if (firings.length === 0) return [];
  const nowMs = Math.floor(deps.nowMs());
  const rows = [...firings]
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((firing) => ({ ...firing, id: newId(idPrefixes.alertFiring, nowMs, deps.randomBytes) }));
  const inserted = new Map((await insertFirings(tx, rows)).map((row) => [row.id, row]));
  const recorded = rows.flatMap((firing) => {
    const row = inserted.get(firing.id);
    return row ? [{ ...firing, ...row }] : [];
  });
  const told = recorded.filter(({ isMuted }) => !isMuted);
  if (told.length > 0) await queueDeliveries(tx, deps, told);
  return recorded;
}

function keyOf({ alertId, scopeType, scopeId, episode, threshold }: NewFiring): string {
  return [alertId, scopeType, scopeId, episode, threshold].join("\n");
}
