import type { Command } from "commander";
import type { Restored } from "#src/backup/restore-backup.ts";
import type { SettledRestore } from "#src/backup/settle-restore.ts";
import type { LoadedConfig } from "#src/config.ts";
import { formatUsd } from "#src/domain/money.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { asOperator, explained, onInterrupt } from "./backup-errors.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { print, table } from "./print.ts";
import { showable } from "./terminal.ts";

interface RestoreFlags {
  keys: string;
}

const KEYS_FLAG = "--keys <hold|trust>";
const ABOUT_KEYS =
  "hold: keys that worked then wait for `restore confirm-keys`. trust: they work at once";

/** `restore <file>`, `restore after-recovery`, `restore keys`, `restore confirm-keys`. */
export function addRestoreCommands(program: Command, load: () => LoadedConfig): void {
  const restore = program
    .command("restore")
    .argument("<file>", "a backup")
    .option(KEYS_FLAG, ABOUT_KEYS, "hold")
    .description("put a backup into an empty data folder or database, with the server stopped")
    .addHelpText("after", RESTORE_HELP)
    .action((file: string, flags: RestoreFlags) => restoreFile(program, load, file, flags));
  restore
    .command("after-recovery")
    .option("--to <time>", "the moment that the database was taken back to")
    .option(KEYS_FLAG, ABOUT_KEYS)
    .description(
      "the same care for a database that something else took back, with the servers stopped",
    )
    .addHelpText("after", "\nExamples:\n  bursar restore after-recovery --to 2026-11-25T03:00:00Z")
    .action(({ to }: { to?: string }, command: Command) =>
      // The command above has a flag of that name, and takes it.
      settle(program, load, { to, keys: command.opts()["keys"] ?? restore.opts()["keys"] }),
    );
  restore
    .command("keys")
    .description("list the keys that a restore brought back, and nobody has confirmed")
    .addHelpText("after", "\nExamples:\n  bursar restore keys")
    .action(() => listKeys(program, load));
  restore
    .command("confirm-keys")
    .option("--all", "all of them")
    .option("--key <id...>", "these; may be given more than once")
    .description("let keys work again that a restore holds")
    .addHelpText(
      "after",
      "\nExamples:\n  bursar restore confirm-keys --all\n  bursar restore confirm-keys --key apikey_0VhK3",
    )
    .action((flags: { all?: true; key?: string[] }) => confirm(program, load, flags));
}

const RESTORE_HELP = `
What follows a restore, and a drill, are in docs/guides/backup.md.

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
  const restored = await explained(() =>
    restoreBackup({
      file,
      passphrase: config.backupPassphrase,
      secret: config.secret,
      into: config,
      keys,
      actor: asOperator(),
      onStep: (step) => process.stderr.write(`${step}\n`),
      signal: onInterrupt(),
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
  const requests = formatPlural(rows.get("usage_event") ?? 0, "request");
  const lines = [
    `The state of ${header.made_at} is back, with ${requests}. What happened after that is not in it.`,
    ...describeSettled(settled),
  ];
  if (journals.restored.length > 0) {
    lines.push("The journal that was in the backup is flushed when the server starts.");
  }
  if (journals.kept.length > 0) {
    lines.push(
      "This data folder had a journal already: when the server starts, what the database lacks of its last 48 hours is counted.",
    );
  }
  if (secretFile !== null) {
    lines.push(
      isShared
        ? `The installation's secret is in ${secretFile}: give it to every node (BURSAR_SECRET_FILE).`
        : `The installation's secret is in ${secretFile}.`,
    );
  }
  if (witnessesSetAside.length > 0) {
    lines.push(
      `The audit log ends earlier than this node has seen, rightly: ${witnessesSetAside.join(", ")} keeps what it knew.`,
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
    `Nodes: ${settled.nodes} with a new epoch; $${formatUsd(settled.leasedNanoUsd)} of leases over all balances is unresolved.`,
    "It waits for the journals of these nodes. For a node that will not start again: `./bursar nodes forget <node id>`.",
    `Ended: ${sessions} and ${invites}. ${people} can sign in as they could then: look through them.`,
    `Not sent: ${messages}, since what waited then may have been sent. It is marked as failed, and can be sent again.`,
  ];
  if (held > 0) {
    lines.push(
      `HELD until they are confirmed: ${apiKeys} and ${adminKeys}, since some may have been ended after the backup: \`./bursar restore keys\`, then \`./bursar restore confirm-keys\`.`,
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

async function settle(
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
  const settled = await explained(() =>
    settleRecovery({
      reach: config,
      secret: config.secret,
      backupMadeAt: to,
      keys,
      actor: asOperator(),
    }),
  );
  print(program.opts(), toJson(settled), () => describeSettled(settled).join("\n"));
}

async function listKeys(program: Command, load: () => LoadedConfig): Promise<void> {
  const { config } = load();
  const { listHeld } = await import("#src/backup/restored-installation.ts");
  const held = await explained(() => listHeld({ reach: config, secret: config.secret }));
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
      : table(
          ["id", "name", "key", "workspace", "owner", "last used"],
          keys.map((key) =>
            [
              key.id,
              key.name,
              key.partial_key_hint,
              key.type === "admin_key" ? "(admin key)" : (key.workspace_name ?? ""),
              key.owner_email ?? "",
              key.last_used_at ?? "never",
            ].map(showable),
          ),
        ),
  );
}

async function confirm(
  program: Command,
  load: () => LoadedConfig,
  { all, key }: { all?: true; key?: string[] },
): Promise<void> {
  if ((all === true) === (key !== undefined)) {
    throw new CommandError("Give either --all or --key <id>.", exitCodes.usage);
  }
  const { config } = load();
  const { confirmHeld } = await import("#src/backup/restored-installation.ts");
  const confirmed = await explained(() =>
    confirmHeld({
      reach: config,
      secret: config.secret,
      ids: key ?? "all",
      actor: asOperator(),
    }),
  );
  print(
    program.opts(),
    { confirmed: confirmed.map(({ id }) => id) },
    () => `${formatPlural(confirmed.length, "key works", "keys work")} again.`,
  );
}
