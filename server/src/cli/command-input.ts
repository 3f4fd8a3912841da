import { type Command, Option } from "commander";
import type { CommandStyle } from "./command-styles.ts";
import { type Field, type Kind, readFields } from "./read-fields.ts";
import { readSecret } from "./read-secret.ts";
import { timeForms } from "./read-time.ts";
import { makeUsageError, readFile, readJson, readValue } from "./read-value.ts";
import { isList, type RouteCommand, toKebab } from "./route-commands.ts";
import type { Terminal } from "./terminal.ts";

// Converts a route's schemas to arguments and flags, and the values of a command line to the route's input.

/** Input of one call, in wire form. */
export interface RouteInput {
  params: Record<string, string>;
  query: Record<string, unknown>;
  body: Record<string, unknown> | undefined;
}

interface Flag {
  field: Field;
  place: "query" | "body";
  option: Option;
}

interface Positional {
  /** Name of a path parameter or a body field. */
  name: string;
  field: Field | null;
}

export interface CommandShape {
  positionals: readonly Positional[];
  flags: readonly Flag[];
  hasBody: boolean;
}

/** Flags that every command or every list has already. */
const RESERVED = new Set(
  "format json profile data yes dry-run idempotency-key all limit page output help version".split(
    " ",
  ),
);
const PAGING = new Set(["limit", "page"]);

export function makeShape({ route, style }: RouteCommand): CommandShape {
  const body = readFields(route.body)
    .filter(({ name }) => !(name in (style.fixed ?? {})))
    .map((field) => (style.files?.includes(field.name) ? toFileField(field) : field));
  const ids = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    field: null,
  }));
  const spoken = positionalFields(style.positionals, route.operationId, body);
  const query = readFields(route.query).filter(({ name }) => !(isList(route) && PAGING.has(name)));
  const isStream = route.streams !== undefined;
  const flags = [
    ...query.map((field) => toFlag(field, "query", { style, isStream })),
    // A command with a fixed field has no flags for other fields.
    ...(style.fixed ? [] : body.map((field) => toFlag(field, "body", { style, isStream }))),
  ];
  return { positionals: [...ids, ...spoken], flags, hasBody: route.body !== undefined };
}

/** The file comes from an argument or `--data`, so it is no required flag. */
function toFileField(field: Field): Field {
  return { ...field, kind: { type: "file" } };
}

/** True for a route that has a dry run on the server. */
export function hasDryRun({ route }: Pick<RouteCommand, "route">): boolean {
  return "dry_run" in (route.query?.shape ?? {});
}

/** Body fields without a flag. A new object's name is one by default. */
function positionalFields(
  names: readonly string[] | undefined,
  operationId: string,
  body: readonly Field[],
): Positional[] {
  const wanted = names ?? (operationId.startsWith("create") ? ["name"] : []);
  return body
    .filter(({ name, isRequired }) => wanted.includes(name) && (isRequired || names !== undefined))
    .map((field) => ({ name: field.name, field }));
}

function toFlag(
  field: Field,
  place: Flag["place"],
  { style, isStream }: { style: CommandStyle; isStream: boolean },
): Flag {
  const { kind } = field;
  const plain = findIdForm(field.name) ? field.name.replace(/_id(s?)$/, "$1") : field.name;
  const written = style.flags?.[field.name] ?? toKebab(plain);
  const isOwn = (isStream && written === "format") || field.name === "dry_run";
  const isTaken = RESERVED.has(written) && !isOwn;
  const name = `${isTaken ? "field-" : ""}${written}${kind.type === "secret" ? "-file" : ""}`;
  const value = kind.type === "flag" ? "" : ` <${formatPlaceholder(field)}>`;
  const option = new Option(`--${name}${value}`, describe(field));
  if (kind.type === "list" || kind.type === "map") {
    option.argParser((each: string, before: string[] | undefined) => [...(before ?? []), each]);
  }
  return { field, place, option };
}

/** Word of an argument in help texts. */
export function nameArgument({ name, field }: Positional): string {
  return field?.kind.type === "file" ? "file" : toKebab(name.replace(/_id$/, ""));
}

/** Adds arguments and flags to a command. */
export function addInput(command: Command, shape: CommandShape): void {
  for (const { name, field } of shape.positionals) {
    const word = nameArgument({ name, field });
    const text = field === null ? describeId(name) : describe(field);
    const form = field?.kind.type === "list" ? `${word}...` : word;
    // Body fields can come from --data or from their flags.
    command.argument(field === null ? `<${form}>` : `[${form}]`, text);
  }
  for (const { field, place, option } of shape.flags) {
    // A field that is an argument is hidden among the flags.
    const isPositional =
      place === "body" && shape.positionals.some(({ name }) => name === field.name);
    command.addOption(option.hideHelp(isPositional));
    const opposite = describeOpposite(field, place);
    if (opposite) command.addOption(new Option(`--no-${option.long?.slice(2)}`, opposite));
  }
  if (shape.hasBody) {
    command.option("--data <json>", "whole request body: JSON, @file, or - for standard input");
  }
}

/** Help text of a field's `--no-…`, or null if it has none. */
function describeOpposite(
  { kind, isNullable, fallback }: Field,
  place: Flag["place"],
): string | null {
  if (kind.type !== "flag") return isNullable ? "remove the value" : null;
  return place === "body" && fallback !== false ? "turn it off" : null;
}

/** Placeholder of a flag's value: `<text>`, `<n>`, `<time>`. */
function formatPlaceholder({ name, kind }: Field): string {
  return findIdForm(name) ?? formatKind(kind);
}

function formatKind(kind: Kind): string {
  switch (kind.type) {
    case "text":
      return "text";
    case "secret":
    case "file":
      return "file";
    case "time":
      return "time";
    case "amount":
      return "dollars";
    case "integer":
    case "number":
      return "n";
    case "flag":
      return "";
    case "choice":
      return "word";
    case "list":
      return `${formatKind(kind.item)},…`;
    case "map":
      return "name=value";
    case "parts":
      return kind.fields.map(formatPart).join(":");
    case "variant":
      return "what";
    case "json":
      return "json";
  }
}

function formatPart({ name }: Field): string {
  return toKebab(name.replace(/_id$/, "").replace(/^workspace_role$/, "role"));
}

/** One line of `--help`. */
function describe(field: Field): string {
  const { kind, isRequired, fallback } = field;
  const sentences = [
    describeMeaning(field),
    describeForms(kind),
    kind.type === "secret" ? "File with the secret, or - for standard input." : undefined,
    isRequired ? "Required." : undefined,
    typeof fallback === "string" || typeof fallback === "number"
      ? `Default: ${fallback}.`
      : undefined,
  ];
  return sentences.filter((text) => text !== undefined && text !== "").join(" ");
}

/** Description from the contract. For an id: at least its object. */
function describeMeaning({ name, kind, description }: Field): string | undefined {
  const isForm = description === "RFC 3339 time." && kind.type === "time";
  if (description !== undefined && !isForm && findIdForm(name) === null) {
    return description.replaceAll(/\s+/g, " ");
  }
  return /_ids?$/.test(name) ? `${capitalize(describeId(name))}.` : undefined;
}

export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function describeForms(kind: Kind): string | undefined {
  switch (kind.type) {
    case "choice":
      return `One of ${kind.values.join(", ")}.`;
    case "time":
      return `Such as ${timeForms}.`;
    case "list":
      return describeForms(kind.item);
    case "variant":
      return `One of ${[...kind.variants]
        .map(([word, fields]) =>
          [word, ...fields.map((field) => `<${formatPart(field)}>`)].join(":"),
        )
        .join(", ")}.`;
    default:
      return undefined;
  }
}

/** Workspace at the provider of an upstream. This server does not know its name. */
export const FOREIGN_WORKSPACE = "upstream_workspace_id";

/** Alternative to an id for an object that has a name or an address. Otherwise null. */
function findIdForm(name: string): string | null {
  if (name === FOREIGN_WORKSPACE) return null;
  if (/(^|_)workspace_ids?$/.test(name) || /^(group|upstream)_ids?$/.test(name)) {
    return "name or id";
  }
  return /(^|_)member_ids?$/.test(name) ? "address or id" : null;
}

function describeId(name: string): string {
  return `${findIdForm(name) ?? "id"} of the ${name.replace(/_id(s?)$/, "$1").replaceAll("_", " ")}`;
}

interface Written {
  args: readonly (string | string[] | undefined)[];
  options: Readonly<Record<string, unknown>>;
}

/** Converts the command line to the route's input. Throws CommandError for missing or unreadable values. */
export async function readInput(
  { route, style }: RouteCommand,
  shape: CommandShape,
  written: Written,
  context: { terminal: Terminal; nowMs: number },
): Promise<RouteInput> {
  const { nowMs } = context;
  const params: Record<string, string> = {};
  const query: Record<string, unknown> = {};
  const body = { ...(await readData(written.options["data"], context.terminal)), ...style.fixed };
  for (const { field, place, option } of shape.flags) {
    const value = written.options[option.attributeName()];
    if (value === undefined) continue;
    const name = option.long ?? field.name;
    const into = place === "query" ? query : body;
    into[field.name] = await readFlag(field, value, { name, nowMs, terminal: context.terminal });
  }
  shape.positionals.forEach(({ name, field }, i) => {
    const value = written.args[i];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
    if (field === null) {
      params[name] = String(value);
      return;
    }
    if (name in body) throw makeUsageError(`${toKebab(name)}: set twice.`);
    body[name] =
      field.kind.type === "file"
        ? readTextFile(String(value))
        : readValue(field.kind, value, { name: toKebab(name), nowMs });
  });
  checkRequired(shape, { query, body });
  if (/^update/.test(route.operationId) && shape.hasBody && Object.keys(body).length === 0) {
    throw makeUsageError("Nothing to change. Add a flag or --data.");
  }
  return { params, query, body: shape.hasBody ? body : undefined };
}

/** The server refuses NUL in JSON. Like other text that is not UTF-8, it refuses the replacement in a file by its line. */
function readTextFile(path: string): string {
  return readFile(path, "file").replaceAll("\0", "\uFFFD");
}

async function readFlag(
  { kind, isNullable }: Field,
  value: unknown,
  reading: { name: string; nowMs: number; terminal: Terminal },
): Promise<unknown> {
  if (kind.type === "flag") return value;
  if (value === false && isNullable) return null;
  if (kind.type === "file") return readTextFile(String(value));
  if (kind.type === "secret") return readSecret(String(value), reading.name, reading.terminal);
  return readValue(kind, value as string | string[], reading);
}

async function readData(
  written: unknown,
  terminal: Terminal,
): Promise<Record<string, unknown> | undefined> {
  if (typeof written !== "string") return undefined;
  const text = written === "-" ? await terminal.readInput() : written;
  const data = readJson(text, { name: "--data" });
  if (data !== null && typeof data === "object" && !Array.isArray(data)) {
    return data as Record<string, unknown>;
  }
  throw makeUsageError("--data: expected a JSON object.");
}

function checkRequired(
  { flags }: CommandShape,
  given: { query: Record<string, unknown>; body: Record<string, unknown> },
): void {
  const missing = flags.filter(
    ({ field, place }) => field.isRequired && given[place][field.name] === undefined,
  );
  if (missing.length === 0) return;
  throw makeUsageError(`Missing: ${missing.map(({ option }) => option.flags).join(", ")}.`);
}
