import { isShownOnce } from "@bursar/contract/fields.ts";
import type { RouteSpec } from "@bursar/contract/route.ts";
import type { z } from "zod";
import { formatTable, formatThing } from "./format-table.ts";
import { formatYaml } from "./format-yaml.ts";
import type { Terminal } from "./terminal.ts";
import { toJson } from "./to-json.ts";

// Prints a response: a table for people, JSON for programs, a secret alone for a shell variable.

export const formats = ["auto", "json", "jsonl", "yaml", "table", "raw"] as const;
export type Format = (typeof formats)[number];

type Thing = Record<string, unknown>;

interface Writing {
  route: RouteSpec;
  format: Format;
  terminal: Terminal;
}

/** Prints one response. A secret in it is marked as shown once. */
export function writeAnswer(answer: Thing, { route, format, terminal }: Writing): void {
  const secret = findSecret(route, answer);
  const chosen = chooseFormat(format, secret !== null, terminal);
  if (secret === null || chosen === "raw") {
    terminal.print(formatAnswer(secret === null ? answer : { secret }, chosen, terminal));
  } else if (chosen === "table") {
    const { [secret.name]: _, ...rest } = answer;
    terminal.note(formatThing(rest, terminal.columns));
    terminal.note("");
    terminal.print(secret.value);
  } else {
    terminal.print(formatAnswer(answer, chosen, terminal));
  }
  if (secret !== null && terminal.isOutput) {
    terminal.note("\nThis secret is shown only once. Store it in a safe place.");
  }
}

/** Chooses a table on a terminal. Otherwise the secret alone, so that a variable can hold it, or JSON. */
function chooseFormat(format: Format, hasSecret: boolean, { isOutput }: Terminal): Format {
  if (format !== "auto") return format;
  if (isOutput) return "table";
  return hasSecret ? "raw" : "json";
}

function formatAnswer(answer: Thing, format: Format, terminal: Terminal): string {
  switch (format) {
    case "raw":
      return formatRaw(answer);
    case "table":
      return formatThing(answer, terminal.columns);
    case "yaml":
      return formatYaml(answer);
    case "jsonl":
      return toJson(answer);
    case "json":
    case "auto":
      return toJson(answer, terminal.isOutput);
  }
}

/** The secret, otherwise the id, otherwise the whole response. */
function formatRaw(answer: Thing): string {
  const { secret, id } = answer as { secret?: { value: string }; id?: unknown };
  if (secret) return secret.value;
  return typeof id === "string" ? id : toJson(answer);
}

export interface Pages {
  /** The first page as received, without its entries. */
  first: Thing;
  entries: readonly Thing[];
  /** Cursor of the next page. Null at the end, undefined for a list without pages. */
  nextPage?: string | null;
}

/** Prints the entries of a list. */
export function writeList({ first, entries, nextPage }: Pages, writing: Writing): void {
  const { route, format, terminal } = writing;
  const chosen = chooseFormat(format, false, terminal);
  const rest = nextPage === undefined ? {} : { next_page: nextPage };
  if (chosen === "table") {
    writeTable(first, entries, route, terminal);
  } else if (chosen === "raw") {
    for (const entry of entries) terminal.print(formatRaw(entry));
  } else if (chosen === "jsonl") {
    for (const entry of entries) terminal.print(toJson(entry));
  } else {
    terminal.print(formatAnswer({ ...first, data: entries, ...rest }, chosen, terminal));
  }
}

function writeTable(
  first: Thing,
  entries: readonly Thing[],
  route: RouteSpec,
  terminal: Terminal,
): void {
  const { data: _, next_page: __, ...rest } = first;
  const columns = terminal.isOutput ? terminal.columns : Number.POSITIVE_INFINITY;
  if (entries.length === 0) terminal.note("No entries.");
  else terminal.print(formatTable(entries, { schemaName: findEntryName(route), columns }));
  if (Object.keys(rest).length > 0) terminal.print(`\n${formatThing(rest, columns)}`);
}

/** The contract's schema name of the list's entries. */
function findEntryName(route: RouteSpec): string | undefined {
  const data = route.response.shape["data"] as z.ZodArray | undefined;
  return (data?.element as z.ZodType | undefined)?.meta()?.id;
}

/** Field of the response that is shown only once. */
function findSecret(route: RouteSpec, answer: Thing): { name: string; value: string } | null {
  for (const [name, schema] of Object.entries(route.response.shape)) {
    const value = answer[name];
    if (typeof value === "string" && isShownOnce(schema as z.ZodType)) return { name, value };
  }
  return null;
}
