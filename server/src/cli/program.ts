import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import picocolors from "picocolors";
import { VERSION } from "#src/lib/program-version.ts";
import { addCallCommand } from "./call-command.ts";
import { CommandError, exitCodeMeanings, exitCodes } from "./command-error.ts";
import { addCompletionCommands } from "./completion.ts";
import type { OutputOptions } from "./print.ts";
import { addProfileCommands } from "./profile-commands.ts";
import { chooseConnection } from "./profiles.ts";
import { showable, type Terminal } from "./terminal.ts";

/** The clone's root: `bursar.toml` and a relative data folder are found there, wherever the command is typed. */
const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Commands that are not made of routes. Most of a start is loading, so that only what may be meant is loaded. */
const MACHINE = ["backup", "config", "doctor", "migrate", "restore"];
const OWN = [...MACHINE, "profile", "completion", "api"];

interface ProgramOptions extends OutputOptions {
  profile?: string;
}

export interface ProgramDeps {
  env: NodeJS.ProcessEnv;
  terminal: Terminal;
  nowMs: () => number;
}

/** Every command. `words` are what was written, or "all" where every command must be there with its flags. */
export async function makeProgram(
  deps: ProgramDeps,
  words: readonly string[] | "all",
): Promise<Command> {
  const { env, terminal, nowMs } = deps;
  const program = new Command("bursar")
    .description("The command line of Bursar.")
    .version(VERSION, "--version", "print the version")
    .option("--json", "JSON, also for an error")
    .option("--profile <name>", "the server to talk to; without it, the one on this machine")
    .addHelpText("after", () => `\n${helpOfExitCodes()}`)
    // A flag's description says what may stand there, and what is taken where it is left out.
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
    addMachineCommands(program, { env, root });
  }
  addProfileCommands(program, { env, terminal });
  addCallCommand(program, { connect, terminal });
  addCompletionCommands(program);
  return program;
}

/** Runs what was written and gives the exit code. */
export async function run(deps: ProgramDeps, words: readonly string[]): Promise<number> {
  const wantsAll = firstCommand(words) === "complete";
  const program = await makeProgram(deps, wantsAll ? "all" : words);
  try {
    await program.parseAsync(words, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return await report(error, program.opts<ProgramOptions>().json === true, deps.terminal);
  }
}

/** The first word that is no flag, nor the name of a profile. */
function firstCommand(words: readonly string[]): string | undefined {
  return words.find((word, i) => !word.startsWith("-") && words[i - 1] !== "--profile");
}

/** Says what went wrong, on stderr, and gives the exit code. */
async function report(error: unknown, isJson: boolean, terminal: Terminal): Promise<number> {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const message = error instanceof Error ? error.message : String(error);
  const { requestId, details } =
    error instanceof CommandError ? error : { requestId: null, details: null };
  if (isJson) {
    const shown = { message, ...(details !== null && { details }) };
    terminal.note(JSON.stringify({ error: shown, request_id: requestId }));
  } else {
    const named = requestId === null ? "" : ` (request ${requestId})`;
    terminal.note(picocolors.red(showable(`${message}${isFault(error) ? named : ""}`)));
  }
  if (error instanceof CommandError) return error.exitCode;
  const { ConfigError } = await import("#src/config.ts");
  return error instanceof ConfigError ? exitCodes.usage : exitCodes.error;
}

/** What the server's log says more of. */
function isFault(error: unknown): boolean {
  const isServers = [exitCodes.error, exitCodes.unavailable] as readonly number[];
  return error instanceof CommandError && isServers.includes(error.exitCode);
}

function helpOfExitCodes(): string {
  const codes = exitCodeMeanings.map(([code, meaning]) => `  ${code}  ${meaning}`);
  return ["Exits with", ...codes, "", "Help of a command: bursar <command> [action] --help"].join(
    "\n",
  );
}
