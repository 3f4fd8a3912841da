import type { Tx } from "#src/db/pool.ts";
import type { AlertingDeps, RecordedFiring } from "./recorded-firing.ts";

/**
 * Puts a message about each firing, for each channel of its alert, into the caller's transaction: it is sent once that
 * commits, and never if it does not.
 */
export async function queueDeliveries(
  _tx: Tx,
  _deps: AlertingDeps,
  _firings: readonly RecordedFiring[],
): Promise<void> {
  await Promise.resolve();
}
