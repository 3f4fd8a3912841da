import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { setAsideWitness } from "#src/audit/witness.ts";
import { refuseConnectedNodes } from "#src/db/load-tables.ts";
import { migrate } from "#src/db/migrate.ts";
import { type ReachOptions, reachAlone, reachBeside } from "#src/db/reach-database.ts";
import { type HeldKey, listHeldKeys } from "#src/key-lookup/held-keys.sql.ts";
import type { Logger } from "#src/lib/logger.ts";
import { confirmKeys } from "./held-keys.ts";
import { requireSecret } from "./require-secret.ts";
import { type SettledRestore, type SettleOptions, settleRestore } from "./settle-restore.ts";
import { withAuditDeps } from "./with-audit-deps.ts";

// Actions on an installation after a restore.

export interface InstallationOptions {
  reach: ReachOptions;
  /** BURSAR_SECRET. */
  secret: string | undefined;
}

/**
 * Runs the steps of `restoreBackup` after loading, for a database that another tool restored (point-in-time recovery, a
 * disk snapshot). Throws a StartError while a node is connected.
 */
export async function settleRecovery(
  options: InstallationOptions & SettleOptions,
): Promise<SettledRestore> {
  const reached = await reachAlone({ ...options.reach, mustExist: true });
  const { place } = reached;
  try {
    const secret = await requireSecret(options.secret, place.folder);
    await refuseConnectedNodes(place.connectionString);
    await migrate(place);
    const settled = await withAuditDeps({ place, secret }, (deps) => settleRestore(deps, options));
    await setAsideWitness(place.folder, Date.now());
    return settled;
  } finally {
    await reached.close();
  }
}

export function listHeld(options: InstallationOptions): Promise<HeldKey[]> {
  return besideServer(options, ({ database }) => listHeldKeys(database));
}

export function confirmHeld(
  options: InstallationOptions & Parameters<typeof confirmKeys>[1],
): Promise<HeldKey[]> {
  return besideServer(options, (deps) => confirmKeys(deps, options));
}

async function besideServer<Result>(
  options: InstallationOptions,
  work: (deps: AuditDeps & { logger: Logger }) => Promise<Result>,
): Promise<Result> {
  const reached = await reachBeside(options.reach);
  const { place, isServerRunning } = reached;
  try {
    const secret = await requireSecret(options.secret, place.folder);
    if (!isServerRunning) await migrate(place);
    return await withAuditDeps({ place, secret }, work);
  } finally {
    await reached.close();
  }
}
