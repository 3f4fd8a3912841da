import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { archiveWitness } from "#src/audit/witness.ts";
import { refuseConnectedNodes } from "#src/db/load-tables.ts";
import { type LocateOptions, locateDatabase, lockDatabase } from "#src/db/locate-database.ts";
import { migrate } from "#src/db/migrate.ts";
import { type HeldKey, listHeldKeys } from "#src/key-lookup/held-keys.sql.ts";
import type { Logger } from "#src/lib/logger.ts";
import { confirmKeys } from "./held-keys.ts";
import { requireSecret } from "./require-secret.ts";
import { type SettledRestore, type SettleOptions, settleRestore } from "./settle-restore.ts";
import { withAuditDeps } from "./with-audit-deps.ts";

// Actions on an installation after a restore.

export interface InstallationOptions {
  location: LocateOptions;
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
  const located = await lockDatabase({ ...options.location, isRequired: true });
  const { place } = located;
  try {
    const secret = await requireSecret(options.secret, place.folder);
    await refuseConnectedNodes(place.connectionString);
    await migrate(place);
    const settled = await withAuditDeps({ place, secret }, (deps) => settleRestore(deps, options));
    await archiveWitness(place.folder, Date.now());
    return settled;
  } finally {
    await located.close();
  }
}

export function listHeld(options: InstallationOptions): Promise<HeldKey[]> {
  return withLocatedDatabase(options, ({ database }) => listHeldKeys(database));
}

export function confirmHeld(
  options: InstallationOptions & Parameters<typeof confirmKeys>[1],
): Promise<HeldKey[]> {
  return withLocatedDatabase(options, (deps) => confirmKeys(deps, options));
}

async function withLocatedDatabase<Result>(
  options: InstallationOptions,
  work: (deps: AuditDeps & { logger: Logger }) => Promise<Result>,
): Promise<Result> {
  const located = await locateDatabase(options.location);
  const { place, isServerRunning } = located;
  try {
    const secret = await requireSecret(options.secret, place.folder);
    if (!isServerRunning) await migrate(place);
    return await withAuditDeps({ place, secret }, work);
  } finally {
    await located.close();
  }
}
