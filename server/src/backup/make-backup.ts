import { readMigrations } from "#src/db/migration-files.ts";
import { type ReachOptions, reachBeside } from "#src/db/reach-database.ts";
import { recordBackup } from "./record-backup.ts";
import { requireSecret } from "./require-secret.ts";
import { withAuditDeps } from "./with-audit-deps.ts";
import { type WrittenBackup, writeBackup } from "./write-backup.ts";

export interface MakeBackupOptions {
  file: string;
  reach: ReachOptions;
  /** BURSAR_SECRET. */
  secret: string | undefined;
  passphrase: string | undefined;
  bursarVersion: string;
  /** For whoever reads the file later. */
  madeBy: string;
  actor: { type: string; id: string };
  signal?: AbortSignal;
}

/**
 * Writes a backup of the installation on this machine, beside a running server or without one, and notes it in the database.
 * `note` says why that was not possible: the file is complete all the same.
 */
export async function makeBackup(
  options: MakeBackupOptions,
): Promise<{ backup: WrittenBackup; note: string | null }> {
  const { reach, actor } = options;
  const reached = await reachBeside(reach);
  const { place } = reached;
  try {
    const secret = await requireSecret(options.secret, place.folder);
    const backup = await writeBackup({
      ...options,
      secret,
      connectionString: place.connectionString,
      journalsOf: place.isEmbedded ? place.folder : null,
    });
    if (backup.header.migrations.length < (await readMigrations()).length) {
      return {
        backup,
        note: "Its schema is older than this Bursar, so the backup is not noted in the database.",
      };
    }
    try {
      await withAuditDeps({ place, secret }, (deps) => recordBackup(deps, backup, actor));
      return { backup, note: null };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return {
        backup,
        note: `The backup is complete, but could not be noted in the database: ${reason}`,
      };
    }
  } finally {
    await reached.close();
  }
}
