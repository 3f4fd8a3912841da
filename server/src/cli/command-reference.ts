import { groupAliases } from "./command-groups.ts";
import { capitalize, makeShape, nameArgument } from "./command-input.ts";
import { listExamples } from "./examples.ts";
import { listRouteCommands, nameOf, type RouteCommand } from "./route-commands.ts";

/** Most examples of one route on the reference page. */
const MAX_EXAMPLES = 2;

/** Renders the route commands as Markdown, the text of `docs/guides/commands.md`. */
export function renderCommandReference(): string {
  const commands = listRouteCommands();
  const groups = [...new Set(commands.map(({ group }) => group))];
  return [
    "# Commands",
    "",
    "One command for each call of the Admin API, generated from the contract. `--help` of each command lists its flags.",
    "[The command line](command-line.md) describes usage, output and the other commands.",
    ...groups.flatMap((group) =>
      renderSection(
        group,
        commands.filter((command) => command.group === group),
      ),
    ),
    "",
  ].join("\n");
}

/** Example command lines of each route as JSON, for the reference page of the console: one text with a line for each. */
export function renderCommandExamples(): string {
  const lines = Map.groupBy(listRouteCommands(), ({ route }) => route.operationId);
  const examples = [...lines].map(([operationId, commands]) => [
    operationId,
    commands
      .flatMap((command) => listExamples(command, makeShape(command)))
      .slice(0, MAX_EXAMPLES)
      .join("\n"),
  ]);
  return `${JSON.stringify(Object.fromEntries(examples), null, 2)}\n`;
}

function renderSection(group: string, commands: readonly RouteCommand[]): string[] {
  const { aliases = [], summary } = groupAliases[group] ?? {};
  const also = aliases.length === 0 ? "" : ` Also \`${aliases.join("`, `")}\`.`;
  const about = summary === undefined ? also.trim() : `${capitalize(summary)}.${also}`;
  const rows = commands.map(
    (command) =>
      `| \`${formatUsage(command).replaceAll("|", "\\|")}\` | ${formatSummary(command)} |`,
  );
  const examples = commands.flatMap((command) => listExamples(command, makeShape(command)));
  return [
    "",
    `## ${group}`,
    ...(about === "" ? [] : ["", about]),
    "",
    "| command | effect |",
    "|---|---|",
    ...rows,
    "",
    "```sh",
    ...examples.map((example) => `./bursar ${example}`),
    "```",
  ];
}

function formatSummary({ route, style, action }: RouteCommand): string {
  const aliases = style.aliases?.map((alias) => `\`${alias}\``).join(", ");
  const also = aliases === undefined || action === "" ? "" : ` (also ${aliases})`;
  return `${style.summary ?? route.summary}${also}`;
}

/** Command with its arguments and required flags. */
function formatUsage(command: RouteCommand): string {
  const { positionals, flags } = makeShape(command);
  const words = positionals.map(({ name, field }) => {
    const word = nameArgument({ name, field });
    const form = field?.kind.type === "list" ? `${word}...` : word;
    return field === null ? `<${form}>` : `[${form}]`;
  });
  const isPositional = (name: string) => positionals.some((each) => each.name === name);
  const needed = flags
    .filter(
      ({ field, place }) => field.isRequired && !(place === "body" && isPositional(field.name)),
    )
    .map(({ option }) => option.flags);
  return [nameOf(command), ...words, ...needed].join(" ");
}
