import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import picocolors from "picocolors";
import { ConfigError, describeConfig, loadConfig } from "#src/config.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addKeyCommands } from "./keys.ts";
import { type CallApi, CommandError, exitCodes, makeLocalApi } from "./local-api.ts";
import { addMigrateCommand } from "./migrate.ts";
import { print, table } from "./print.ts";
import { addWorkspaceCommands } from "./workspaces.ts";

/** The clone's root: `bursar.toml` and a relative data folder are found there, wherever the command is typed. */
const root = fileURLToPath(new URL("../../../", import.meta.url));

const program = new Command("bursar")
  .description("The command line of Bursar, on the server's own machine.")
  .option("--json", "print one JSON object")
  .exitOverride();

const load = () => loadConfig(process.env, root);
const callApi: CallApi = (method, path, body) =>
  makeLocalApi(load().config.dataDir)(method, path, body);

addKeyCommands(program, callApi);
addWorkspaceCommands(program, callApi);
addMigrateCommand(program, load);
addDoctorCommand(program, load, callApi);
program
  .command("config")
  .description("show every setting, where its value comes from, secrets hidden")
  .action(() => {
    const rows = describeConfig(load());
    print(program.opts(), rows, () =>
      table(
        ["setting", "value", "source"],
        rows.map(({ name, value, source }) => [name, value, source]),
      ),
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof CommandError) {
    console.error(picocolors.red(error.message));
    return error.exitCode;
  }
  if (error instanceof ConfigError) {
    console.error(picocolors.red(error.message));
    return exitCodes.usage;
  }
  console.error(picocolors.red(error instanceof Error ? error.message : String(error)));
  return exitCodes.error;
}
