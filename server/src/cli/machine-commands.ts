import type { Command } from "commander";
import { describeConfig, loadConfig } from "#src/config.ts";
import { addBackupCommand } from "./backup.ts";
import { addClaudeCodeCommands } from "./claude-code.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { connectLocally, send } from "./connection.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addMigrateCommand } from "./migrate.ts";
import { formatTextTable, print } from "./print.ts";
import { addRestoreCommands } from "./restore.ts";
import { addReviewCommands } from "./reviews.ts";
import { addSecretCommands } from "./secret.ts";
import type { Terminal } from "./terminal.ts";

/** Adds the commands for this machine, such as `backup` and `doctor`. `root`: folder of the clone. */
export function addMachineCommands(
  program: Command,
  deps: { env: NodeJS.ProcessEnv; root: string; nowMs: () => number; terminal: Terminal },
): void {
  const { env, root, nowMs, terminal } = deps;
  const load = () => {
    if (program.opts<{ profile?: string }>().profile === undefined) return loadConfig(env, root);
    throw new CommandError(
      "This command works on this machine only: omit --profile.",
      exitCodes.usage,
    );
  };
  addMigrateCommand(program, load);
  addBackupCommand(program, load);
  addRestoreCommands(program, load);
  addSecretCommands(program, load, nowMs);
  addDoctorCommand(program, load, (method, target) =>
    send(connectLocally(load().config.dataDir), { method, target }),
  );
  addClaudeCodeCommands(program, { env, terminal, load });
  addReviewCommands(program, (method, target, body) =>
    send(connectLocally(load().config.dataDir), { method, target, body }),
  );
  program
    .command("config")
    .description("show every setting and the source of its value, with secrets hidden")
    .addHelpText("after", "\nExamples:\n  bursar config")
    .action(() => {
      const settings = describeConfig(load());
      print(program.opts(), { settings }, () =>
        formatTextTable(
          ["setting", "value", "source"],
          settings.map(({ name, value, source }) => [name, value ?? "(unset)", source]),
        ),
      );
    });
}
