import { idPrefixes } from "@bursar/contract/ids.ts";
import { queueDeliveries, queueDigests } from "#src/alerts/channels/queue-deliveries.ts";
import type { Tx } from "#src/db/pool.ts";
import { hashId } from "#src/lib/ids.ts";
import { findCoveredFirings } from "./cover-thresholds.ts";
import { insertFirings, saveCoveredFirings, saveDigestMembers } from "./firings.sql.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import type { AlertingDeps, RecordedFiring } from "./recorded-firing.ts";

/**
 * Records the firings of one evaluation in the caller's transaction, and queues their messages in it. A firing that is
 * already recorded, also by another node at this moment, is skipped. Muted and covered firings get no message. Returns the
 * recorded firings. Callers lock balances before this call.
 */
export async function recordFirings(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly NewFiring[],
): Promise<RecordedFiring[]> {
  const recorded = await insertNewFirings(tx, firings);
  const covered = findCoveredFirings(recorded);
  await saveCoveredFirings(tx, covered);
  const notified = recorded.filter(({ id, isMuted }) => !isMuted && !covered.has(id));
  if (notified.length > 0) await queueDeliveries(tx, deps, notified);
  return recorded;
}

/** Records firings about unused keys. Each channel and each owner gets one message about those of all alerts. */
export async function recordDigests(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly NewFiring[],
): Promise<RecordedFiring[]> {
  const recorded = await insertNewFirings(tx, firings);
  for (const [first, ...others] of Map.groupBy(recorded, ({ alertId }) => alertId).values()) {
    const otherIds = others.map(({ id }) => id);
    if (first !== undefined) await saveDigestMembers(tx, { firstId: first.id, otherIds });
  }
  const notified = recorded.filter(({ isMuted }) => !isMuted);
  if (notified.length > 0) await queueDigests(tx, deps, notified);
  return recorded;
}

async function insertNewFirings(tx: Tx, firings: readonly NewFiring[]): Promise<RecordedFiring[]> {
  if (firings.length === 0) return [];
  const rows = [...firings]
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((firing) => ({ ...firing, id: makeFiringId(firing) }));
  const inserted = new Map((await insertFirings(tx, rows)).map((row) => [row.id, row]));
  return rows.flatMap((firing) => {
    const row = inserted.get(firing.id);
    return row ? [{ ...firing, ...row }] : [];
  });
}

function keyOf(firing: NewFiring): string {
  return partsOf(firing).join("\n");
}

/** An evaluation after a failover that lost the firing records it under the same id, so receivers see one incident. */
function makeFiringId(firing: NewFiring): string {
  return hashId(idPrefixes.alertFiring, partsOf(firing));
}

function partsOf({ alertId, scopeType, scopeId, episode, threshold }: NewFiring): string[] {
  return [alertId, scopeType, scopeId, episode, threshold];
}
