import { samplePattern } from "./sample-pattern.ts";
import { asFields } from "./wire-request.ts";

// Creates a valid value for a JSON schema, for tool inputs and structured output. `not`, `if` and dependent keywords
// are ignored.

interface Schema {
  [keyword: string]: unknown;
}

/** Optional parts are omitted below this depth. */
const MAX_DEPTH = 6;
/** Required parts are omitted too below this depth, and after this many values, so that a recursive schema ends. */
const MAX_REQUIRED_DEPTH = 24;
const MAX_VALUES = 2_000;
const MAX_REFERENCES = 20;
const MAX_PROPERTIES = 50;
const MAX_ITEMS = 100;
const MAX_CHARACTERS = 10_000;

/**
 * Bounds that SDKs move to the description, as "min items: 2." or "{minItems: 2}", because the API refuses them in a
 * schema.
 */
const describedBounds = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
].map((keyword) => {
  const words = keyword.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const pattern = new RegExp(`(?:^|[{;,.] ?)(?:${keyword}|${words}): (-?[\\d.]*\\d)`, "m");
  return { keyword, pattern };
});

const formats = new Map([
  ["date-time", "2026-01-01T00:00:00Z"],
  ["date", "2026-01-01"],
  ["time", "00:00:00Z"],
  ["duration", "P1D"],
  ["email", "user@example.com"],
  ["idn-email", "user@example.com"],
  ["hostname", "example.com"],
  ["ipv4", "192.0.2.1"],
  ["ipv6", "2001:db8::1"],
  ["uri", "https://example.com/"],
  ["uri-reference", "https://example.com/"],
  ["url", "https://example.com/"],
  ["uuid", "00000000-0000-4000-8000-000000000000"],
]);

/** Position in a value. The name is used for texts, the index makes items of a list unique. */
interface Place {
  name: string;
  depth: number;
  index: number;
  root: unknown;
  /** Number of values created so far in the whole sample. */
  made: { values: number };
}

/** Creates a value for `schema`. Its texts contain `name`. */
export function makeSampleValue(schema: unknown, name: string): unknown {
  return sampleAt(schema, { name, depth: 0, index: 0, root: schema, made: { values: 0 } });
}

function sampleAt(schema: unknown, place: Place): unknown {
  place.made.values++;
  const isBeyond = place.depth > MAX_REQUIRED_DEPTH || place.made.values > MAX_VALUES;
  const fields = isBeyond ? null : resolve(schema, place.root);
  if (fields === null) return place.name;
  if (fields["const"] !== undefined) return fields["const"];
  const values = listOf(fields["enum"]);
  if (values.length > 0) return values[place.index % values.length];
  if (fields["default"] !== undefined && place.index === 0) return fields["default"];
  const choice = chooseVariant(fields, place);
  if (choice !== null) return sampleAt(choice, { ...place, depth: place.depth + 1 });
  switch (typeOf(fields)) {
    case "object":
      return sampleObject(fields, place);
    case "array":
      return sampleArray(fields, place);
    case "integer":
      return sampleNumber(fields, place.index, true);
    case "number":
      return sampleNumber(fields, place.index, false);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return sampleText(fields, place);
  }
}

/** Resolves `$ref`, merges `allOf` and adds described bounds. Null: any value is valid. */
function resolve(schema: unknown, root: unknown, depth = 0): Schema | null {
  const fields = asFields(schema) as Schema | null;
  if (fields === null || depth > MAX_REFERENCES) return null;
  const reference = fields["$ref"];
  if (typeof reference === "string") {
    return resolve(followPointer(root, reference), root, depth + 1);
  }
  const parts = listOf(fields["allOf"]).slice(0, MAX_REFERENCES);
  return parts.reduce<Schema>(
    (merged, part) => mergeSchemas(merged, resolve(part, root, depth + parts.length) ?? {}),
    { ...readDescribedBounds(fields["description"]), ...fields, allOf: undefined },
  );
}

/** Follows a pointer such as "#/$defs/City". Other documents are not fetched. */
function followPointer(root: unknown, reference: string): unknown {
  if (!reference.startsWith("#")) return null;
  const keys = reference.split("/").slice(1);
  return keys.reduce<unknown>((value, key) => {
    const name = key.replaceAll("~1", "/").replaceAll("~0", "~");
    return (asFields(value) as Schema | null)?.[name];
  }, root);
}

function mergeSchemas(left: Schema, right: Schema): Schema {
  return {
    ...left,
    ...right,
    properties: { ...propertiesOf(left), ...propertiesOf(right) },
    required: [...listOf(left["required"]), ...listOf(right["required"])],
  };
}

function readDescribedBounds(description: unknown): Schema {
  if (typeof description !== "string") return {};
  const bounds: Schema = {};
  for (const { keyword, pattern } of describedBounds) {
    const found = pattern.exec(description);
    if (found !== null) bounds[keyword] = Number(found[1]);
  }
  return bounds;
}

/** Chooses one of `anyOf` or `oneOf`: the first, or below the usual depth one without nested values. */
function chooseVariant(fields: Schema, place: Place): unknown {
  const variants = [...listOf(fields["anyOf"]), ...listOf(fields["oneOf"])];
  if (variants.length === 0) return null;
  const base = { ...fields, anyOf: undefined, oneOf: undefined };
  const leaf =
    place.depth < MAX_DEPTH
      ? undefined
      : variants.find((variant) => {
          const type = typeOf(resolve(variant, place.root) ?? {});
          return type !== "object" && type !== "array";
        });
  const chosen = resolve(leaf ?? variants[0], place.root);
  return chosen === null ? base : mergeSchemas(base, chosen);
}

function typeOf(fields: Schema): unknown {
  const [type] = [fields["type"]].flat();
  if (type !== undefined) return type;
  if (Object.keys(propertiesOf(fields)).length > 0) return "object";
  return fields["items"] === undefined ? undefined : "array";
}

function sampleObject(fields: Schema, place: Place): Record<string, unknown> {
  const properties = propertiesOf(fields);
  const required = listOf(fields["required"]).map(String);
  const hasRoom = place.depth < MAX_DEPTH && place.made.values < MAX_VALUES;
  const optional = hasRoom ? Object.keys(properties) : [];
  const names = new Set([...required, ...optional.slice(0, MAX_PROPERTIES)]);
  // In the order of the schema, as the API writes them.
  const ordered = [...Object.keys(properties), ...required].filter((name) => names.has(name));
  const depth = place.depth + 1;
  return Object.fromEntries(
    [...new Set(ordered)].map((name) => [
      name,
      sampleAt(properties[name], { ...place, name, depth }),
    ]),
  );
}

function sampleArray(fields: Schema, place: Place): unknown[] {
  const fixed = listOf(fields["prefixItems"]);
  const least = Math.max(numberOr(fields["minItems"], 0), fixed.length);
  const usual = place.depth < MAX_DEPTH && fields["items"] !== undefined ? 1 : 0;
  const most = Math.min(numberOr(fields["maxItems"], MAX_ITEMS), MAX_ITEMS);
  const length = Math.min(Math.max(least, usual), most);
  return Array.from({ length }, (_, index) =>
    sampleAt(fixed[index] ?? fields["items"], { ...place, index, depth: place.depth + 1 }),
  );
}

function sampleNumber(fields: Schema, index: number, isInteger: boolean): number {
  const over = numberOr(fields["exclusiveMinimum"], Number.NEGATIVE_INFINITY);
  const under = numberOr(fields["exclusiveMaximum"], Number.POSITIVE_INFINITY);
  const least = numberOr(fields["minimum"], Number.NEGATIVE_INFINITY);
  const most = numberOr(fields["maximum"], Number.POSITIVE_INFINITY);
  const step = numberOr(fields["multipleOf"], isInteger ? 1 : 0);
  const isAllowed = (value: number) =>
    value > over && value < under && value >= least && value <= most;
  const middle = (Math.max(least, over) + Math.min(most, under)) / 2;
  const near = [1, least, over + 1, most, under - 1, middle].filter(Number.isFinite);
  const fitting =
    step > 0
      ? near.flatMap((value) => [Math.ceil(value / step) * step, Math.floor(value / step) * step])
      : near;
  const value = fitting.find(isAllowed) ?? 1;
  const next = value + index * (step || 1);
  return isAllowed(next) ? next : value;
}

function sampleText(fields: Schema, { name, index }: Place): string {
  const text = makeText(fields, name, index);
  const least = Math.min(numberOr(fields["minLength"], 0), MAX_CHARACTERS);
  const most = numberOr(fields["maxLength"], MAX_CHARACTERS);
  return text.padEnd(least, ".").slice(0, most);
}

function makeText(fields: Schema, name: string, index: number): string {
  const format = formats.get(String(fields["format"]));
  if (format !== undefined) return format;
  if (typeof fields["pattern"] === "string") return samplePattern(fields["pattern"]);
  return index === 0 ? `sample ${name}` : `sample ${name} ${index + 1}`;
}

function propertiesOf(fields: Schema): Schema {
  return (asFields(fields["properties"]) as Schema | null) ?? {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
