import type { Command } from "commander";
import type { LoadedConfig } from "#src/config.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { getOperator } from "./backup-errors.ts";
import { print } from "./print.ts";

const ROTATE_HELP = `
Without DATABASE_URL and BURSAR_SECRET, the command creates the new secret in the data folder. Otherwise set the new one as
BURSAR_NEW_SECRET or BURSAR_NEW_SECRET_FILE, beside the current BURSAR_SECRET. docs/guides/secret.md has the steps.

Examples:
  bursar secret rotate
  BURSAR_NEW_SECRET_FILE=/etc/bursar/new-secret bursar secret rotate`;

/** `secret rotate`: replaces the secret of the installation. */
export function addSecretCommands(
  program: Command,
  load: () => LoadedConfig,
  nowMs: () => number,
): void {
  const secret = program
    .command("secret")
    .description("the secret of this installation, which encrypts and signs stored data");
  secret
    .command("rotate")
    .description("replace the secret, with all servers stopped")
    .addHelpText("after", ROTATE_HELP)
    .action(async () => {
      const { config } = load();
      const { rotateSecret } = await import("#src/secret-rotation/rotate-secret.ts");
      const rotated = await rotateSecret({
        location: config,
        secret: config.secret,
        newSecret: config.newSecret,
        actor: getOperator(),
        nowMs: nowMs(),
      });
      const result = {
        was_rotated: rotated.wasRotated,
        sealed_values: rotated.sealedValues,
        unreadable_values: rotated.unreadableValues,
        signed_rows: rotated.signedRows,
        old_secret_file: rotated.oldSecretFile,
      };
      const isInFile = config.secret === undefined && config.databaseUrl === undefined;
      print(program.opts(), result, () => describeRotated(rotated, isInFile));
    });
}

type Rotated = Awaited<
  ReturnType<typeof import("#src/secret-rotation/rotate-secret.ts")["rotateSecret"]>
>;

function describeRotated(rotated: Rotated, isInFile: boolean): string {
  const next = isInFile
    ? "Start the server again."
    : "Set the new secret as BURSAR_SECRET on every node, then start the nodes.";
  if (rotated.wasRotated) return `The database has the new secret already. ${next}`;
  const lines = [
    `Rotated: ${formatPlural(rotated.sealedValues, "value")} sealed and ${formatPlural(rotated.signedRows, "row")} signed with the new secret.`,
  ];
  if (rotated.unreadableValues > 0) {
    const values = formatPlural(rotated.unreadableValues, "value");
    lines.push(`Unreadable before and after: ${values}. Set these credentials again.`);
  }
  if (rotated.oldSecretFile !== null) {
    lines.push(
      `The old secret is in ${rotated.oldSecretFile}. Backups before now need it: keep it with them, then delete the file.`,
    );
  }
  return [...lines, next].join("\n");
}
