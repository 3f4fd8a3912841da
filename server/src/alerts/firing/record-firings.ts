import { idPrefixes } from "@bursar/contract/ids.ts";
import { queueDeliveries, queueDigests } from "#src/alerts/channels/queue-deliveries.ts";
import type { Tx } from "#src/db/pool.ts";
import { newId } from "#src/lib/ids.ts";
import { findCovered } from "./cover-thresholds.ts";
import { insertFirings, saveCovered, tellTogether } from "./firings.sql.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import type { AlertingDeps, RecordedFiring } from "./recorded-firing.ts";

/**
 * Puts the firings of one evaluation on record in the caller's transaction, each once: what stands there already, also from
 * another node at this moment, is left out. Messages about the others are queued in the same transaction, unless their
 * alert is muted or a higher threshold covers them. Gives what was recorded. Balances that the transaction locks are
 * locked before.
 */
export async function recordFirings(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly NewFiring[],
): Promise<RecordedFiring[]> {
  const recorded = await insert(tx, deps, firings);
  const covered = findCovered(recorded);
  await saveCovered(tx, covered);
  const told = recorded.filter(({ id, isMuted }) => !isMuted && !covered.has(id));
  if (told.length > 0) await queueDeliveries(tx, deps, told);
  return recorded;
}

/** The same with one message for all firings of an alert, to each channel and each owner of keys. They are about keys. */
export async function recordTogether(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly NewFiring[],
): Promise<RecordedFiring[]> {
  const recorded = await insert(tx, deps, firings);
  const groups = [...Map.groupBy(recorded, ({ alertId }) => alertId).values()];
  for (const [first, ...others] of groups) {
    if (first === undefined) continue;
    await tellTogether(tx, { firstId: first.id, otherIds: others.map(({ id }) => id) });
    if (!first.isMuted) await queueDigests(tx, deps, [first, ...others]);
  }
  return recorded;
}

async function insert(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly NewFiring[],
): Promise<RecordedFiring[]> {
  if (firings.length === 0) return [];
  const nowMs = deps.nowMs();
  const rows = [...firings]
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((firing) => ({ ...firing, id: newId(idPrefixes.alertFiring, nowMs, deps.randomBytes) }));
  const inserted = new Map((await insertFirings(tx, rows)).map((row) => [row.id, row]));
  return rows.flatMap((firing) => {
    const row = inserted.get(firing.id);
    return row ? [{ ...firing, ...row }] : [];
  });
}

function keyOf({ alertId, scopeType, scopeId, episode, threshold }: NewFiring): string {
  return [alertId, scopeType, scopeId, episode, threshold].join("\n");
}
