import type { Command } from "commander";
import { countRequests } from "#src/backup/backup-format.ts";
import type { Restored } from "#src/backup/restore-backup.ts";
import type { SettledRestore } from "#src/backup/settle-restore.ts";
import type { LoadedConfig } from "#src/config.ts";
import { formatUsd } from "#src/domain/money.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { convertBackupErrors, getOperator, makeInterruptSignal } from "./backup-errors.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { formatTextTable, print } from "./print.ts";
import { replaceControlCharacters } from "./terminal.ts";

interface RestoreFlags {
  keys: string;
}

const KEYS_FLAG = "--keys <hold|trust>";
const ABOUT_KEYS =
  "hold: active keys of the backup stay disabled until `restore confirm-keys`. trust: they work at once";

/** `restore <file>`, `restore after-recovery`, `restore keys`, `restore confirm-keys`. */
export function addRestoreCommands(program: Command, load: () => LoadedConfig): void {
  const restore = program
    .command("restore")
    .argument("<file>", "backup file")
    .option(KEYS_FLAG, ABOUT_KEYS, "hold")
    .description("restore a backup to an empty data folder or database, with the server stopped")
    .addHelpText("after", RESTORE_HELP)
    .action((file: string, flags: RestoreFlags) => restoreFile(program, load, file, flags));
  restore
    .command("after-recovery")
    .option("--to <time>", "time that the database was restored to")
    .option(KEYS_FLAG, ABOUT_KEYS)
    .description(
      "apply the same safeguards after another tool restored the database, with the servers stopped",
    )
    .addHelpText("after", "\nExamples:\n  bursar restore after-recovery --to 2026-11-25T03:00:00Z")
    .action(({ to }: { to?: string }, command: Command) =>
      // The parent command has the same flag and consumes it.
      settleAfterRecovery(program, load, {
        to,
        keys: command.opts()["keys"] ?? restore.opts()["keys"],
      }),
    );
  restore
    .command("keys")
    .description("list restored keys that wait for confirmation")
    .addHelpText("after", "\nExamples:\n  bursar restore keys")
    .action(() => listKeys(program, load));
  restore
    .command("confirm-keys")
    .option("--all", "confirm all keys")
    .option("--key <id...>", "confirm these keys; repeatable")
    .description("enable keys that a restore holds")
    .addHelpText(
      "after",
      "\nExamples:\n  bursar restore confirm-keys --all\n  bursar restore confirm-keys --key apikey_0VhK3",
    )
    .action((flags: { all?: true; key?: string[] }) => confirmKeys(program, load, flags));
}

const RESTORE_HELP = `
docs/guides/backup.md describes the steps after a restore and a drill.

Examples:
  bursar restore bursar-2026-11-25.backup
  bursar restore bursar-2026-11-25.backup --keys trust`;

function readKeys(keys: string): "hold" | "trust" {
  if (keys === "hold" || keys === "trust") return keys;
  throw new CommandError(`--keys: expected hold or trust, not ${keys}.`, exitCodes.usage);
}

async function restoreFile(
  program: Command,
  load: () => LoadedConfig,
  file: string,
  flags: RestoreFlags,
): Promise<void> {
  const keys = readKeys(flags.keys);
  const { config } = load();
  const { restoreBackup } = await import("#src/backup/restore-backup.ts");
  const restored = await convertBackupErrors(() =>
    restoreBackup({
      file,
      passphrase: config.backupPassphrase,
      secret: config.secret,
      into: config,
      keys,
      actor: getOperator(),
      onStep: (step) => process.stderr.write(`${step}\n`),
      signal: makeInterruptSignal(),
    }),
  );
  const { header, rows, settled, journals, secretFile, witnessesSetAside } = restored;
  const result = {
    backup_made_at: header.made_at,
    rows: Object.fromEntries(rows),
    ...toJson(settled),
    journals_restored: journals.restored,
    journals_kept: journals.kept,
    secret_file: secretFile,
    witnesses_set_aside: witnessesSetAside,
  };
  print(program.opts(), result, () => describeRestored(restored, config.databaseUrl !== undefined));
}

function describeRestored(restored: Restored, isShared: boolean): string {
  const { header, rows, settled, journals, secretFile, witnessesSetAside } = restored;
  const requests = formatPlural(countRequests(rows), "request");
  const lines = [
    `Restored the state of ${header.made_at}, with ${requests}. Later changes are lost.`,
    ...describeSettled(settled),
  ];
  if (journals.restored.length > 0) {
    lines.push("The server flushes the journal of the backup when it starts.");
  }
  if (journals.kept.length > 0) {
    lines.push(
      "This data folder had a journal already. When the server starts, it adds requests of the last 48 hours that the database lacks.",
    );
  }
  if (secretFile !== null) {
    lines.push(
      isShared
        ? `The installation's secret is in ${secretFile}: copy it to every node (BURSAR_SECRET_FILE).`
        : `The installation's secret is in ${secretFile}.`,
    );
  }
  if (witnessesSetAside.length > 0) {
    lines.push(
      `The audit log now ends before events that this node has seen, as expected. Its record of them is in ${witnessesSetAside.join(", ")}.`,
    );
  }
  return lines.join("\n");
}

function describeSettled(settled: SettledRestore): string[] {
  const held = settled.heldApiKeys + settled.heldAdminKeys;
  const sessions = formatPlural(settled.sessionsEnded, "session");
  const invites = formatPlural(settled.invitesRevoked, "open invite");
  const people = formatPlural(settled.people, "person", "people");
  const messages = formatPlural(settled.messagesNotSent, "waiting message");
  const apiKeys = formatPlural(settled.heldApiKeys, "API key");
  const adminKeys = formatPlural(settled.heldAdminKeys, "admin key");
  const lines = [
    `Nodes: ${settled.nodes} with a new epoch. $${formatUsd(settled.leasedNanoUsd)} of leases over all balances is unresolved.`,
    "The journals of these nodes resolve it. For a node that will not start again: `./bursar nodes forget <node id>`.",
    `Ended: ${sessions} and ${invites}. ${people} can sign in as at the time of the backup: review them.`,
    `Not sent: ${messages}, because they may have been sent already. They are marked as failed and can be sent again.`,
  ];
  if (held > 0) {
    lines.push(
      `HELD until confirmation: ${apiKeys} and ${adminKeys}, because some may have been revoked after the backup. Run \`./bursar restore keys\`, then \`./bursar restore confirm-keys\`.`,
    );
  }
  return lines;
}

function toJson({ leasedNanoUsd, ...settled }: SettledRestore): Record<string, unknown> {
  return {
    nodes: settled.nodes,
    leased_usd: formatUsd(leasedNanoUsd),
    sessions_ended: settled.sessionsEnded,
    invites_revoked: settled.invitesRevoked,
    messages_not_sent: settled.messagesNotSent,
    api_keys_held: settled.heldApiKeys,
    admin_keys_held: settled.heldAdminKeys,
    people: settled.people,
  };
}

async function settleAfterRecovery(
  program: Command,
  load: () => LoadedConfig,
  flags: RestoreFlags & { to: string | undefined },
): Promise<void> {
  const keys = readKeys(flags.keys);
  const to = flags.to === undefined ? null : new Date(flags.to);
  if (to !== null && Number.isNaN(to.getTime())) {
    throw new CommandError("--to: expected a time such as 2026-11-25T03:00:00Z.", exitCodes.usage);
  }
  const { config } = load();
  const { settleRecovery } = await import("#src/backup/restored-installation.ts");
  const settled = await convertBackupErrors(() =>
    settleRecovery({
      location: config,
      secret: config.secret,
      backupMadeAt: to,
      keys,
      actor: getOperator(),
    }),
  );
  print(program.opts(), toJson(settled), () => describeSettled(settled).join("\n"));
}

async function listKeys(program: Command, load: () => LoadedConfig): Promise<void> {
  const { config } = load();
  const { listHeld } = await import("#src/backup/restored-installation.ts");
  const held = await convertBackupErrors(() =>
    listHeld({ location: config, secret: config.secret }),
  );
  const keys = held.map((key) => ({
    id: key.id,
    type: key.kind,
    name: key.name,
    partial_key_hint: key.hint,
    workspace_id: key.workspaceId,
    workspace_name: key.workspaceName,
    owner_email: key.ownerEmail,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  }));
  print(program.opts(), { keys }, () =>
    keys.length === 0
      ? "No key waits for confirmation."
      : formatTextTable(
          ["id", "name", "key", "workspace", "owner", "last used"],
          keys.map((key) =>
            [
              key.id,
              key.name,
              key.partial_key_hint,
              key.type === "admin_key" ? "(admin key)" : (key.workspace_name ?? ""),
              key.owner_email ?? "",
              key.last_used_at ?? "never",
            ].map(replaceControlCharacters),
          ),
        ),
  );
}

async function confirmKeys(
  program: Command,
  load: () => LoadedConfig,
  { all, key }: { all?: true; key?: string[] },
): Promise<void> {
  if ((all === true) === (key !== undefined)) {
    throw new CommandError("Add either --all or --key <id>.", exitCodes.usage);
  }
  const { config } = load();
  const { confirmHeld } = await import("#src/backup/restored-installation.ts");
  const confirmed = await convertBackupErrors(() =>
    confirmHeld({
      location: config,
      secret: config.secret,
      ids: key ?? "all",
      actor: getOperator(),
    }),
  );
  print(
    program.opts(),
    { confirmed: confirmed.map(({ id }) => id) },
    () => `${formatPlural(confirmed.length, "key works", "keys work")} again.`,
  );
}
