import { type Command, Option } from "commander";
import { groupAliases } from "./command-groups.ts";
import { addInput, type CommandShape, hasDryRun, makeShape } from "./command-input.ts";
import { listExamples } from "./examples.ts";
import { listRouteCommands, type RouteCommand } from "./route-commands.ts";
import {
  DEFAULT_LIMIT,
  isDestructive,
  isPaged,
  type RunContext,
  type RunOptions,
  runRoute,
} from "./run-route.ts";
import { formats } from "./write-answer.ts";

interface Adding {
  context: () => RunContext;
  /** Value of the program's `--json`. */
  isJson: () => boolean;
  /** Words of the command line. Other groups are added by name only, because adding them takes most of a start. */
  words: readonly string[] | "all";
}

/** Adds one command for each route. */
export function addRouteCommands(program: Command, adding: Adding): void {
  const groups = new Map<string, RouteCommand[]>();
  for (const command of listRouteCommands()) {
    groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  }
  for (const [name, commands] of groups) {
    const { aliases = [], summary } = groupAliases[name] ?? {};
    const single = commands.find(({ action }) => action === "");
    const group = program.command(name).aliases(aliases);
    if (single) {
      addCommand(group, single, adding);
      continue;
    }
    group.description(summary ?? commands.map(({ action }) => action).join(", "));
    if (!isSelected([name, ...aliases], adding.words)) continue;
    for (const command of commands) {
      const isDefault = isSingleRead(command, commands);
      const added = group.command(command.action, { isDefault });
      addCommand(added.aliases(command.style.aliases ?? []), command, adding);
    }
  }
}

function isSelected(names: readonly string[], words: Adding["words"]): boolean {
  return words === "all" || names.some((name) => words.includes(name));
}

/** `usage` alone means `usage get`: the group has one reading and no list. */
function isSingleRead({ route, action }: RouteCommand, group: readonly RouteCommand[]): boolean {
  const hasList = group.some((other) => other.action === "list");
  return action === "get" && route.params === undefined && !hasList;
}

function addCommand(added: Command, command: RouteCommand, adding: Adding): void {
  const { route, style } = command;
  const shape = makeShape(command);
  added.description(style.summary ?? route.summary);
  addInput(added, shape);
  addCommonOptions(added, command);
  added.addHelpText("after", () => formatHelpFooter(command, shape));
  added.action(async (...args: unknown[]) => {
    const options = added.opts<RunOptions>();
    if (adding.isJson()) options.format ??= "json";
    const written = { args: args.slice(0, shape.positionals.length) as string[], options };
    await runRoute(command, shape, written, adding.context());
  });
}

function addCommonOptions(added: Command, command: RouteCommand): void {
  const { route } = command;
  added.optionsGroup("Common options:");
  if (isPaged(command)) {
    added.option("--limit <n>", `maximum number of entries (default: ${DEFAULT_LIMIT})`);
    added.option("--all", "return all entries");
    added.option("--page <cursor>", "continue from the `next_page` of an earlier response");
  }
  if (route.streams) {
    added.option("--output <file>", "write to a new file that only its owner can read");
  } else {
    added.addOption(
      new Option(
        "--format <format>",
        "json, jsonl, yaml, table, raw (ids, or the secret alone), or auto: a table on a terminal, else JSON",
      ).choices(formats),
    );
  }
  if (route.audited === null) return;
  if (isDestructive(command) || hasDestructiveInput(command)) {
    added.option("--yes", "skip the confirmation");
  }
  if (!hasDryRun(command)) added.option("--dry-run", "print the request without sending it");
  if (route.method === "POST") {
    added.option(
      "--idempotency-key <key>",
      "make retries safe: a request repeated with the same key runs once",
    );
  }
}

/** True if some input makes the command destructive: see `run-route.ts`. */
function hasDestructiveInput({ route }: RouteCommand): boolean {
  return route.operationId === "rotateApiKey" || "status" in (route.body?.shape ?? {});
}

function formatHelpFooter(command: RouteCommand, shape: CommandShape): string {
  const { route, style } = command;
  const examples = listExamples(command, shape).map((example) => `  bursar ${example}`);
  const details = style.fixed ? undefined : route.description;
  return [
    ...(details === undefined ? [] : ["", wrapText(details)]),
    "",
    "Examples:",
    ...examples,
    "",
    `Calls ${route.method} ${route.path}${formatFixedFields(command)}.`,
  ].join("\n");
}

function formatFixedFields({ route, style }: RouteCommand): string {
  const fixed = Object.entries(style.fixed ?? {}).map(([name, value]) => `${name} ${value}`);
  return fixed.length === 0 || route.body === undefined ? "" : ` with ${fixed.join(", ")}`;
}

const HELP_WIDTH = 80;

/** Breaks text between words into lines of at most `HELP_WIDTH` characters. */
function wrapText(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > HELP_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}
