import type { Command } from "commander";
import { countRequests } from "#src/backup/backup-format.ts";
import type { LoadedConfig } from "#src/config.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { VERSION } from "#src/lib/program-version.ts";
import {
  convertBackupErrors,
  findOperatorName,
  getOperator,
  makeInterruptSignal,
} from "./backup-errors.ts";
import { formatBytes } from "./format-bytes.ts";
import { print } from "./print.ts";
import { replaceControlCharacters } from "./terminal.ts";

/** `backup <file>` and `backup verify <file>`. */
export function addBackupCommand(program: Command, load: () => LoadedConfig): void {
  const backup = program
    .command("backup")
    .argument("<file>", "file to create; an existing file is not overwritten")
    .description("write all data to one file, also while the server runs")
    .addHelpText("after", BACKUP_HELP)
    .action((file: string) => makeBackup(program, load, file));
  backup
    .command("verify")
    .argument("<file>", "backup file")
    .description("read a whole backup and list its contents; exits with 1 if it is damaged")
    .addHelpText("after", "\nExamples:\n  bursar backup verify bursar-2026-11-25.backup")
    .action((file: string) => verify(program, load, file));
}

const BACKUP_HELP = `
With BURSAR_BACKUP_PASSPHRASE (or BURSAR_BACKUP_PASSPHRASE_FILE) the file is encrypted and includes the installation's secret.

Examples:
  bursar backup bursar-$(date +%F).backup
  bursar backup verify bursar-2026-11-25.backup`;

async function makeBackup(program: Command, load: () => LoadedConfig, file: string): Promise<void> {
  const { config } = load();
  const { makeBackup: make } = await import("#src/backup/make-backup.ts");
  const { backup, note } = await convertBackupErrors(() =>
    make({
      file,
      location: config,
      secret: config.secret,
      passphrase: config.backupPassphrase,
      bursarVersion: VERSION,
      madeBy: findOperatorName(),
      actor: getOperator(),
      signal: makeInterruptSignal(),
    }),
  );
  const rows = Object.fromEntries(backup.rows);
  const result = {
    file: backup.file,
    made_at: backup.header.made_at,
    size_bytes: backup.sizeBytes,
    sha256: backup.sha256.toString("hex"),
    is_encrypted: backup.isEncrypted,
    has_secret: backup.isEncrypted,
    journal_files: backup.journalFiles,
    rows,
  };
  print(program.opts(), result, () =>
    [
      `${replaceControlCharacters(backup.file)}: ${formatBytes(backup.sizeBytes)}, the state of ${backup.header.made_at}, ${describeRows(backup.rows)}.`,
      backup.isEncrypted
        ? "The backup is encrypted and includes the installation's secret: the passphrase gives access to everything."
        : NOT_ENCRYPTED,
      `SHA-256 ${result.sha256}`,
    ].join("\n"),
  );
  if (note !== null) process.stderr.write(`${note}\n`);
}

const NOT_ENCRYPTED =
  "The backup is not encrypted (no BURSAR_BACKUP_PASSPHRASE), so it does NOT include the installation's secret. Store that secret (the file `secret` " +
  "of the data folder, or BURSAR_SECRET) in another place. Stored credentials cannot be decrypted without it.";

async function verify(program: Command, load: () => LoadedConfig, file: string): Promise<void> {
  const { readBackup } = await import("#src/backup/read-backup.ts");
  const { backupPassphrase: passphrase } = load().config;
  const { header, rows, ...read } = await convertBackupErrors(() =>
    readBackup({ file, passphrase }),
  );
  const newest = header.migrations.at(-1);
  const result = {
    file,
    made_at: header.made_at,
    made_by: header.made_by,
    bursar_version: header.bursar_version,
    postgres_version: header.postgres_version,
    schema: newest?.number ?? 0,
    organizations: header.organizations,
    is_encrypted: read.isEncrypted,
    has_secret: read.secret !== null,
    journal_files: read.journalFiles,
    rows: Object.fromEntries(rows),
  };
  print(program.opts(), result, () =>
    [
      `${replaceControlCharacters(file)} is intact: the state of ${header.made_at}, ${describeRows(rows)}.`,
      `Made by ${replaceControlCharacters(header.made_by)} with Bursar ${header.bursar_version} (schema ${newest?.number} ${newest?.name}, PostgreSQL ${header.postgres_version}).`,
      `Organizations: ${replaceControlCharacters(header.organizations.join(", "))}.`,
      read.isEncrypted
        ? "Encrypted, with the installation's secret."
        : "Not encrypted, without the installation's secret.",
      `Journal files: ${read.journalFiles}.`,
    ].join("\n"),
  );
}

const counted = [
  ["api_key", "API key", "API keys"],
  ["member", "person", "people"],
  ["audit_event", "audit event", "audit events"],
] as const;

function describeRows(rows: ReadonlyMap<string, number>): string {
  const others = counted.map(([table, one, many]) => formatPlural(rows.get(table) ?? 0, one, many));
  return [formatPlural(countRequests(rows), "request", "requests"), ...others].join(", ");
}
