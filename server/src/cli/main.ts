import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import picocolors from "picocolors";
import { ConfigError, describeConfig, loadConfig } from "#src/config.ts";
import { addAuditCommands } from "./audit.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addKeyCommands } from "./keys.ts";
import {
  type CallApi,
  CommandError,
  exitCodes,
  makeLocalApi,
  makeLocalSend,
  type SendLocally,
} from "./local-api.ts";
import { addMigrateCommand } from "./migrate.ts";
import { addOwnerCommands } from "./owners.ts";
import { type OutputOptions, print, table } from "./print.ts";
import { addWorkspaceCommands } from "./workspaces.ts";

/** The clone's root: `bursar.toml` and a relative data folder are found there, wherever the command is typed. */
const root = fileURLToPath(new URL("../../../", import.meta.url));

const program = new Command("bursar")
  .description("The command line of Bursar, on the server's own machine.")
  .version(readVersion(), "--version", "print the version")
  .option("--json", "print one JSON object, also for an error")
  .addHelpText(
    "after",
    "\nExits with 0: done, 1: an error, 2: wrong usage or input, 3: not allowed, 4: not found, 5: conflict.",
  )
  .exitOverride();

const load = () => loadConfig(process.env, root);
const callApi: CallApi = (method, path, body) =>
  makeLocalApi(load().config.dataDir)(method, path, body);
const send: SendLocally = (method, path, body) =>
  makeLocalSend(load().config.dataDir)(method, path, body);

addKeyCommands(program, callApi);
addWorkspaceCommands(program, callApi);
addOwnerCommands(program, callApi);
addAuditCommands(program, load);
addMigrateCommand(program, load);
addDoctorCommand(program, load, send);
program
  .command("config")
  .description("show every setting, where its value comes from, secrets hidden")
  .action(() => {
    const settings = describeConfig(load());
    print(program.opts(), { settings }, () =>
      table(
        ["setting", "value", "source"],
        settings.map(({ name, value, source }) => [name, value ?? "(unset)", source]),
      ),
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, on stderr, and gives the exit code. */
function report(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const message = error instanceof Error ? error.message : String(error);
  const requestId = error instanceof CommandError ? error.requestId : null;
  if (program.opts<OutputOptions>().json) {
    console.error(JSON.stringify({ error: { message }, request_id: requestId }));
  } else {
    const named = requestId === null ? "" : ` (request ${requestId})`;
    console.error(picocolors.red(`${message}${isFault(error) ? named : ""}`));
  }
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof ConfigError ? exitCodes.usage : exitCodes.error;
}

/** What the server's log says more of. */
function isFault(error: unknown): boolean {
  return error instanceof CommandError && error.exitCode === exitCodes.error;
}

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
