import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import picocolors from "picocolors";
import { VERSION } from "#src/lib/program-version.ts";
import { addCallCommand } from "./call-command.ts";
import { CommandError, exitCodeMeanings, exitCodes, listFileErrors } from "./command-error.ts";
import { addCompletionCommands } from "./completion.ts";
import type { OutputOptions } from "./print.ts";
import { addProfileCommands } from "./profile-commands.ts";
import { chooseConnection } from "./profiles.ts";
import { replaceControlCharacters, type Terminal } from "./terminal.ts";

/** Root of the clone, the base of `bursar.toml` and a relative data folder in any working folder. */
const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Commands that no route defines. Loading takes most of a start, so only possible commands are loaded. */
const MACHINE = ["backup", "claude-code", "config", "doctor", "migrate", "restore", "secret"];
const OWN = [...MACHINE, "profile", "completion", "api"];

interface ProgramOptions extends OutputOptions {
  profile?: string;
}

export interface ProgramDeps {
  env: NodeJS.ProcessEnv;
  terminal: Terminal;
  nowMs: () => number;
}

/** Makes the program. `words`: the command line, or "all" for every command with its flags. */
export async function makeProgram(
  deps: ProgramDeps,
  words: readonly string[] | "all",
): Promise<Command> {
  const { env, terminal, nowMs } = deps;
  const program = new Command("bursar")
    .description("The command line of Bursar.")
    .version(VERSION, "--version", "print the version")
    .option("--json", "print JSON, also for errors")
    .option("--profile <name>", "server to call (default: the server on this machine)")
    .addHelpText("after", () => `\n${formatExitCodes()}`)
    // The description of a flag already lists its choices and its default.
    .configureHelp({ optionDescription: ({ description }) => description })
    .exitOverride();
  const options = () => program.opts<ProgramOptions>();
  const connect = () =>
    chooseConnection({
      env,
      profile: options().profile,
      dataDir: async () => {
        const { loadConfig } = await import("#src/config.ts");
        return loadConfig(env, root).config.dataDir;
      },
      warn: terminal.note,
    });
  const first = words === "all" ? undefined : firstCommand(words);
  if (first === undefined && words.includes("--version")) return program;
  if (first === undefined || !OWN.includes(first)) {
    const { addRouteCommands } = await import("./add-route-commands.ts");
    addRouteCommands(program, {
      context: () => ({ connect, terminal, nowMs: nowMs() }),
      isJson: () => options().json === true,
      words,
    });
  }
  const isKnown = program.commands.some(
    (command) => command.name() === first || command.aliases().includes(first ?? ""),
  );
  if (!isKnown) {
    const { addMachineCommands } = await import("./machine-commands.ts");
    addMachineCommands(program, { ...deps, root });
  }
  addProfileCommands(program, { env, terminal });
  addCallCommand(program, { connect, terminal });
  addCompletionCommands(program);
  return program;
}

/** Runs a command line and returns the exit code. */
export async function run(deps: ProgramDeps, words: readonly string[]): Promise<number> {
  const needsAllCommands = firstCommand(words) === "complete";
  const program = await makeProgram(deps, needsAllCommands ? "all" : words);
  try {
    await program.parseAsync(words, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return await reportError(error, program.opts<ProgramOptions>().json === true, deps.terminal);
  }
}

/** First word that is neither a flag nor the value of `--profile`. */
function firstCommand(words: readonly string[]): string | undefined {
  return words.find((word, i) => !word.startsWith("-") && words[i - 1] !== "--profile");
}

/** Prints an error on stderr and returns the exit code. */
async function reportError(error: unknown, isJson: boolean, terminal: Terminal): Promise<number> {
  // Commander has printed it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const message = error instanceof Error ? error.message : String(error);
  const { requestId, details } =
    error instanceof CommandError ? error : { requestId: null, details: null };
  if (isJson) {
    const shown = { message, ...(details !== null && { details }) };
    terminal.note(JSON.stringify({ error: shown, request_id: requestId }));
  } else {
    const named = requestId === null ? "" : ` (request ${requestId})`;
    terminal.note(
      picocolors.red(replaceControlCharacters(`${message}${isServerFault(error) ? named : ""}`)),
    );
    for (const line of listFileErrors(details)) terminal.note(replaceControlCharacters(line));
  }
  if (error instanceof CommandError) return error.exitCode;
  const { ConfigError } = await import("#src/config.ts");
  return error instanceof ConfigError ? exitCodes.usage : exitCodes.error;
}

/** True for errors that the server's log explains further. */
function isServerFault(error: unknown): boolean {
  const isServers = [exitCodes.error, exitCodes.unavailable] as readonly number[];
  return error instanceof CommandError && isServers.includes(error.exitCode);
}

function formatExitCodes(): string {
  const codes = exitCodeMeanings.map(([code, meaning]) => `  ${code}  ${meaning}`);
  return ["Exit codes", ...codes, "", "Help of a command: bursar <command> [action] --help"].join(
    "\n",
  );
}
