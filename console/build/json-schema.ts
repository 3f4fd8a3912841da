import type { Field, Shape } from "../src/features/docs/reference.ts";

// Reads the JSON Schema of the OpenAPI document into the shapes of the reference page.

/** Members of JSON Schema 2020-12 that the contract uses. */
export interface JsonSchema {
  $ref?: string;
  type?: string | readonly string[];
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  items?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  anyOf?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  enum?: readonly unknown[];
  const?: unknown;
  description?: string;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
  "x-shown-once"?: boolean;
}

const COMPONENTS = "#/components/schemas/";
/** Longer patterns say less than the description. */
const LONGEST_PATTERN = 40;
/** Patterns of any printable text start so. Nothing else about them is of use to a reader. */
const ANY_TEXT = /^\^\[[ !]-~/;

const formats: Readonly<Record<string, string>> = {
  "date-time": "RFC 3339 time",
  date: "`YYYY-MM-DD`",
  uuid: "UUID",
  email: "e-mail address",
  uri: "address",
};

export function toShape(schema: JsonSchema): Shape {
  const type = readType(schema);
  const bounds = [type.bounds, describeBounds(schema)].filter(Boolean).join(", ");
  const about = schema.description ?? type.about;
  return {
    ...type,
    ...(about !== undefined && { about }),
    ...(bounds !== "" && { bounds }),
    ...(schema["x-shown-once"] && { isShownOnce: true as const }),
  };
}

export function toField(name: string, schema: JsonSchema, isRequired: boolean): Field {
  return { name, ...toShape(schema), ...(isRequired && { isRequired: true as const }) };
}

function readType(schema: JsonSchema): Shape {
  const { $ref, type, enum: values } = schema;
  const options = schema.anyOf ?? schema.oneOf;
  if ($ref !== undefined) {
    const shared = $ref.slice(COMPONENTS.length);
    return { type: shared, shared };
  }
  if (options) return joinOptions(options.map(toShape));
  if (schema.const !== undefined)
    return { type: typeOf(schema.const), values: [String(schema.const)] };
  if (values) {
    const others = values.filter((value) => value !== null).map(String);
    const own = typeof type === "string" ? type : "string";
    return { type: others.length < values.length ? `${own} | null` : own, values: others };
  }
  if (Array.isArray(type)) {
    return joinOptions(type.map((each: string) => readType({ ...schema, type: each })));
  }
  if (type === "array") return toList(toShape(schema.items ?? {}));
  if (type === "object" || schema.properties) return readObject(schema);
  return { type: typeof type === "string" ? type : "any" };
}

function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

function toList({ type, ...entry }: Shape): Shape {
  return { ...entry, type: type.includes(" ") ? `(${type})[]` : `${type}[]` };
}

function readObject({ properties, required = [], additionalProperties }: JsonSchema): Shape {
  if (properties && Object.keys(properties).length > 0) {
    const fields = Object.entries(properties).map(([name, schema]) =>
      toField(name, schema, required.includes(name)),
    );
    return { type: "object", fields };
  }
  if (typeof additionalProperties !== "object") return { type: "object" };
  const { type, ...entry } = toShape(additionalProperties);
  return { ...entry, type: `map of ${type}` };
}

/** One shape for alternatives. Null is a part of the type. */
function joinOptions(options: readonly Shape[]): Shape {
  const others = options.filter(({ type }) => type !== "null");
  const suffix = others.length < options.length ? " | null" : "";
  const [only, ...more] = others;
  if (only && more.length === 0) return { ...only, type: only.type + suffix };
  const types = [...new Set(others.map(({ type }) => type))].join(" | ") + suffix;
  if (others.every(({ values }) => values)) {
    return { type: types, values: others.flatMap(({ values = [] }) => values) };
  }
  const objects = others.filter(({ fields, shared, variants }) => fields ?? shared ?? variants);
  return { type: types, ...(objects.length > 0 && { variants: objects }) };
}

function describeBounds(schema: JsonSchema): string {
  const { format, pattern, minLength, maxLength, minItems, maxItems } = schema;
  const minimum = schema.minimum ?? schema.exclusiveMinimum;
  // Integers of the contract have the largest exact double as their maximum.
  const isExact = (value = 0) => Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const range = describeRange(
    isExact(minimum) ? minimum : undefined,
    isExact(schema.maximum) ? schema.maximum : undefined,
    "",
  );
  const isTold = format === undefined && pattern !== undefined && pattern.length <= LONGEST_PATTERN;
  return [
    format === undefined ? "" : (formats[format] ?? ""),
    describeRange(minLength, maxLength, " characters"),
    describeRange(minItems, maxItems, " entries"),
    range,
    isTold && !ANY_TEXT.test(pattern) ? `pattern \`${pattern}\`` : "",
    schema.default === undefined ? "" : `default \`${JSON.stringify(schema.default)}\``,
  ]
    .filter((text) => text !== "")
    .join(", ");
}

function describeRange(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined) {
    return least === most ? `${least}${unit}` : `${least} to ${most}${unit}`;
  }
  if (least !== undefined) return `at least ${least}${unit}`;
  return most === undefined ? "" : `at most ${most}${unit}`;
}
