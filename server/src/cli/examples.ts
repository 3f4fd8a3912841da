import { idPrefixes } from "@bursar/contract/ids.ts";
import type { z } from "zod";
import type { CommandShape } from "./command-input.ts";
import { type Field, type Kind, readFields } from "./read-fields.ts";
import { readValue } from "./read-value.ts";
import { nameOf, type RouteCommand } from "./route-commands.ts";
import { isDestructive } from "./run-route.ts";

// Examples for `--help`: written by hand for some commands, generated from the required fields for the others.

const values: Readonly<Record<string, string>> = {
  workspace_id: "Research",
  member_id: "ada@example.com",
  owner_member_id: "ada@example.com",
  group_id: "Engineering",
  name: "Research",
  email: "ada@example.com",
  emails: "ada@example.com",
  role: "developer",
  workspace_role: "developer",
  model: "claude-sonnet-5",
  base_url: "https://api.anthropic.com",
  url: "https://example.com/hook",
  ending_at: "now",
  expires_at: "+90d",
};

/** Example command lines without `bursar`. */
export function listExamples(command: RouteCommand, shape: CommandShape): readonly string[] {
  return command.style.examples ?? [makeExample(command, shape)];
}

function makeExample(command: RouteCommand, shape: CommandShape): string {
  const arguments_ = shape.positionals.map(({ name, field }) =>
    field === null ? (values[name] ?? makeSampleId(name)) : makeSample(field),
  );
  const isPositional = (field: Field) => shape.positionals.some(({ name }) => name === field.name);
  const needed = shape.flags.filter(
    ({ field, place }) => field.isRequired && !(place === "body" && isPositional(field)),
  );
  // An update without a field is refused.
  const first = shape.flags.find(({ place }) => place === "body");
  const isUpdate = /^update/.test(command.route.operationId);
  const chosen = needed.length === 0 && isUpdate && first ? [first] : needed;
  const flags = chosen.map(({ field, option }) =>
    field.kind.type === "flag" ? option.long : `${option.long} ${makeSample(field)}`,
  );
  const yes = isDestructive(command) ? ["--yes"] : [];
  return [nameOf(command), ...arguments_, ...flags, ...yes].join(" ");
}

/** `api_key_id`: `apikey_01AbCd`. */
function makeSampleId(name: string): string {
  const noun = name.replace(/_id$/, "");
  const kind = noun.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const prefix = (idPrefixes as Record<string, string>)[kind] ?? `${noun.replaceAll("_", "")}_`;
  return `${prefix}01AbCd`;
}

function makeSample({ name, kind }: Field): string {
  return values[name] ?? makeKindSample(name, kind);
}

function makeKindSample(name: string, kind: Kind): string {
  switch (kind.type) {
    case "text":
      return name.endsWith("_id") ? makeSampleId(name) : "text";
    case "secret":
      return "./secret";
    case "file":
      return "./file";
    case "time":
      return "2027-01-01";
    case "amount":
      return "100";
    case "integer":
    case "number":
      return "30";
    case "flag":
      return "";
    case "choice":
      return kind.values[0] ?? "";
    case "list":
      return makeKindSample(name, kind.item);
    case "map":
      return "team=research";
    case "parts":
      return kind.fields.map(makeSample).join(":");
    case "variant": {
      const [word = "", fields = []] = [...kind.variants][0] ?? [];
      return [word, ...fields.map(makeSample)].join(":");
    }
    case "json":
      return `'${JSON.stringify(makeJsonSample(kind.schema))}'`;
  }
}

/** Minimal value for the schema, as far as its shape tells. */
function makeJsonSample(schema: z.ZodType): unknown {
  // Internal definition of zod: its public types show only the kind.
  const definition = schema._zod.def as unknown as { type: string; element?: z.ZodType };
  if (definition.type === "object") {
    const needed = readFields(schema as z.ZodObject).filter(({ isRequired }) => isRequired);
    return Object.fromEntries(needed.map((each) => [each.name, makeSampleValue(each)]));
  }
  if (definition.type === "array" && definition.element)
    return [makeJsonSample(definition.element)];
  return {};
}

function makeSampleValue({ name, kind }: Field): unknown {
  if (kind.type === "json") return makeJsonSample(kind.schema);
  if (kind.type === "flag") return true;
  const written = makeKindSample(name, kind);
  return readValue(kind, values[name] ?? written, { name, nowMs: 0 });
}
