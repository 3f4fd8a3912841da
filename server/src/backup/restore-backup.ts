import { archiveWitness } from "#src/audit/witness.ts";
import { findSecret, storeSecret } from "#src/db/installation-secret.ts";
import { clearDatabase, openTableLoad } from "#src/db/load-tables.ts";
import { type LocateOptions, lockDatabase } from "#src/db/locate-database.ts";
import { migrate } from "#src/db/migrate.ts";
import { type Migration, readMigrations } from "#src/db/migration-files.ts";
import type { DatabasePlace } from "#src/db/storage.ts";
import { assert } from "#src/lib/assert.ts";
import { computeFingerprint } from "#src/lib/seal.ts";
import { BackupError } from "./backup-error.ts";
import type { BackupHeader } from "./backup-format.ts";
import { JournalRestore } from "./journal-copies.ts";
import { type ReadBackup, readBackup } from "./read-backup.ts";
import { type SettledRestore, type SettleOptions, settleRestore } from "./settle-restore.ts";
import { withAuditDeps } from "./with-audit-deps.ts";

export interface RestoreOptions extends Omit<SettleOptions, "backupMadeAt"> {
  file: string;
  passphrase: string | undefined;
  /** BURSAR_SECRET. */
  secret: string | undefined;
  into: LocateOptions;
  /** Reports the current step to the user. */
  onStep?: (step: string) => void;
  /** Migrations of this program by default. Tests pass others. */
  migrations?: readonly Migration[];
  signal?: AbortSignal;
}

export interface Restored {
  header: BackupHeader;
  rows: ReadonlyMap<string, number>;
  settled: SettledRestore;
  journals: { restored: string[]; kept: string[] };
  /** File with the secret, if it came from the backup. */
  secretFile: string | null;
  /** Renamed files with the node's record of the audit log. */
  witnessesSetAside: string[];
}

/**
 * Restores a backup to an empty database. Reads the file to its end before any change, then loads the rows in one
 * transaction. No server starts on them until all further steps are done. An interrupted restore can be repeated.
 * Throws a BackupError or StartError with the remedy.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { file, passphrase, into, onStep = () => undefined } = options;
  onStep("Reading the backup to its end.");
  const read = await readBackup({ file, passphrase });
  const migrations = options.migrations ?? (await readMigrations());
  const older = refuseOtherSchema(read.header, migrations);
  const { secret, isFromBackup } = await chooseSecret(options, read);
  const located = await lockDatabase(into);
  const { place } = located;
  const journals = new JournalRestore(place.folder);
  try {
    await clearDatabase(place.connectionString);
    await migrate({ ...place, migrations: older, isRestore: true });
    options.signal?.throwIfAborted();
    onStep(`Loading ${sumOf(read.rows).toLocaleString("en")} rows.`);
    await loadRows(options, place, read, journals);
    await migrate({ ...place, migrations, isRestore: true });
    const witnessesSetAside = await archiveWitness(place.folder, Date.now());
    const secretFile = isFromBackup ? await storeSecret(place.folder, secret) : null;
    const put = await journals.finish();
    onStep("Ending sessions, leases and messages of the backup.");
    const backupMadeAt = new Date(read.header.made_at);
    const settled = await withAuditDeps({ place, secret }, (deps) =>
      settleRestore(deps, { ...options, backupMadeAt }),
    );
    const { header, rows } = read;
    return { header, rows, settled, journals: put, secretFile, witnessesSetAside };
  } finally {
    await journals.abandon();
    await located.close();
  }
}

function sumOf(rows: ReadonlyMap<string, number>): number {
  return [...rows.values()].reduce((sum, count) => sum + count, 0);
}

async function loadRows(
  { file, passphrase, signal }: RestoreOptions,
  place: DatabasePlace,
  { header, rows }: ReadBackup,
  journals: JournalRestore,
): Promise<void> {
  const load = await openTableLoad(place.connectionString, header);
  const columnsOf = new Map(header.tables.map((table) => [table.name, table.columns]));
  try {
    await readBackup(
      { file, passphrase },
      {
        journalFile: ({ folder, name }, bytes) => journals.receiveFile(folder, name, bytes),
        table: async (name, bytes) => {
          const columns = columnsOf.get(name) ?? [];
          const loaded = await load.copyIn({ name, columns }, stopOnAbort(bytes, signal));
          assert(loaded === rows.get(name), `all rows of ${name} are loaded`);
        },
      },
    );
    await load.commit();
  } finally {
    await load.close();
  }
}

async function* stopOnAbort(
  bytes: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

/** Returns the migrations of the backup's database. */
function refuseOtherSchema(header: BackupHeader, migrations: readonly Migration[]): Migration[] {
  const newest = header.migrations.at(-1);
  if (newest && newest.number > migrations.length) {
    throw new BackupError(
      "usage",
      `The backup has schema ${newest.number} (${newest.name}) of Bursar ${header.bursar_version}, but this Bursar supports ` +
        `schemas up to ${migrations.length}. Restore it with that version or a newer one.`,
    );
  }
  for (const [index, { number, name, sha256 }] of header.migrations.entries()) {
    const known = migrations[index];
    if (known?.number === number && known.sha256 === sha256) continue;
    throw new BackupError(
      "usage",
      `Migration ${number} (${name}) of the backup differs from the one of this Bursar: the backup is from another build.`,
    );
  }
  return migrations.slice(0, header.migrations.length);
}

/** Secret that sealed the backup's data: from the option, the data folder, or the backup. */
async function chooseSecret(
  { secret: given, into: { dataDir } }: RestoreOptions,
  { header, secret: fromBackup }: { header: BackupHeader; secret: string | null },
): Promise<{ secret: string; isFromBackup: boolean }> {
  const own = await findSecret({ given, dataDir });
  const secret = own ?? fromBackup;
  if (secret === null) {
    throw new BackupError(
      "usage",
      "The backup was made without a passphrase, so it does not include the installation's secret. Stored " +
        "credentials and the audit log cannot be verified without it. Set BURSAR_SECRET or BURSAR_SECRET_FILE.",
    );
  }
  if (computeFingerprint(secret) === header.secret_fingerprint) {
    return { secret, isFromBackup: own === null };
  }
  throw new BackupError(
    "usage",
    given === undefined
      ? `The file \`secret\` in ${dataDir} is not the secret of this backup. Move it away, or restore to another data folder.`
      : "BURSAR_SECRET is not the secret of this backup. Set it to the secret of the backed-up installation.",
  );
}
