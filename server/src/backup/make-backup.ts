import { type LocateOptions, locateDatabase } from "#src/db/locate-database.ts";
import { readMigrations } from "#src/db/migration-files.ts";
import { recordBackup } from "./record-backup.ts";
import { requireSecret } from "./require-secret.ts";
import { withAuditDeps } from "./with-audit-deps.ts";
import { type WrittenBackup, writeBackup } from "./write-backup.ts";

export interface MakeBackupOptions {
  file: string;
  location: LocateOptions;
  /** BURSAR_SECRET. */
  secret: string | undefined;
  passphrase: string | undefined;
  bursarVersion: string;
  /** User name for readers of the file. */
  madeBy: string;
  actor: { type: string; id: string };
  signal?: AbortSignal;
}

/**
 * Writes a backup of the installation on this machine, with or without a running server, and records it in the
 * database. `note` is the reason if recording failed. The file is complete in both cases.
 */
export async function makeBackup(
  options: MakeBackupOptions,
): Promise<{ backup: WrittenBackup; note: string | null }> {
  const { location, actor } = options;
  const located = await locateDatabase(location);
  const { place } = located;
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
        note: "The schema is older than this Bursar, so the backup is not recorded in the database.",
      };
    }
    try {
      await withAuditDeps({ place, secret }, (deps) => recordBackup(deps, backup, actor));
      return { backup, note: null };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return {
        backup,
        note: `The backup is complete, but could not be recorded in the database: ${reason}`,
      };
    }
  } finally {
    await located.close();
  }
}
