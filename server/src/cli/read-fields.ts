import type { z } from "zod";

// Reads schemas of the contract as far as a command line needs them. The server validates the values.

/** Form of one value on a command line. */
export type Kind =
  | { type: "text" }
  | { type: "secret" }
  /** Text of a file, whose path is the argument. */
  | { type: "file" }
  | { type: "time" }
  /** Dollars, sent as text so that nothing is rounded. */
  | { type: "amount" }
  | { type: "integer" }
  | { type: "number" }
  | { type: "flag" }
  | { type: "choice"; values: readonly string[] }
  | { type: "list"; item: Kind }
  /** Names with values: `team=research`. */
  | { type: "map" }
  /** Object of several fields, written as its values with colons between: `Research:developer`. */
  | { type: "parts"; fields: readonly Field[] }
  /** Union, chosen by the first word: `workspace:Research`. */
  | { type: "variant"; discriminator: string; variants: ReadonlyMap<string, readonly Field[]> }
  /** Value that needs JSON, of this schema. */
  | { type: "json"; schema: z.ZodType };

export interface Field {
  /** Name on the wire. */
  name: string;
  kind: Kind;
  isRequired: boolean;
  isNullable: boolean;
  /** The server's default. Undefined: the contract has none. */
  fallback: unknown;
  description: string | undefined;
}

/** Part of zod's internal definition of a schema. All fields are optional, because they depend on `type`. */
interface Definition {
  type: string;
  innerType?: z.ZodType;
  in?: z.ZodType;
  out?: z.ZodType;
  element?: z.ZodType;
  options?: readonly z.ZodType[];
  discriminator?: string;
  shape?: Record<string, z.ZodType>;
  entries?: Record<string, string>;
  values?: readonly unknown[];
  defaultValue?: unknown;
  format?: string;
}

/** Never an argument, which other users of the machine and the shell history could see. */
const SECRET = /^(credential|password|token|secret)$|_(password|token|secret)$/;

/** Fields of a body or a query, in their order. */
export function readFields(schema: z.ZodObject | undefined): readonly Field[] {
  return Object.entries(schema?.shape ?? {}).map(([name, each]) =>
    readField(name, each as z.ZodType),
  );
}

function readField(name: string, schema: z.ZodType): Field {
  const field: Field = {
    name,
    kind: { type: "text" },
    isRequired: true,
    isNullable: false,
    fallback: undefined,
    description: undefined,
  };
  field.kind = makeKind(unwrap(schema, field));
  if (SECRET.test(name) && field.kind.type === "text") field.kind = { type: "secret" };
  return field;
}

/** Removes the wrappers of a schema and records their facts in `field`. */
function unwrap(schema: z.ZodType, field: Field): z.ZodType {
  let inner = schema;
  for (;;) {
    const definition = definitionOf(inner);
    field.description ??= inner.description;
    const next = unwrapOnce(definition, field);
    if (next === undefined) return inner;
    inner = next;
  }
}

function unwrapOnce(definition: Definition, field: Field): z.ZodType | undefined {
  switch (definition.type) {
    case "optional":
      field.isRequired = false;
      return definition.innerType;
    case "nullable":
      field.isNullable = true;
      return definition.innerType;
    case "default":
    case "prefault":
      field.isRequired = false;
      field.fallback ??= definition.defaultValue;
      return definition.innerType;
    case "readonly":
    case "catch":
      return definition.innerType;
    case "pipe": {
      // Preprocessing: the output schema. Conversion: the output, unless it is a function.
      const leadsTo = definition.out;
      return leadsTo && definitionOf(leadsTo).type === "transform" ? definition.in : leadsTo;
    }
    default:
      return undefined;
  }
}

function makeKind(schema: z.ZodType): Kind {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case "string":
      return { type: definition.format === "datetime" ? "time" : "text" };
    case "number":
      return { type: (schema as z.ZodNumber).isInt ? "integer" : "number" };
    case "boolean":
      return { type: "flag" };
    case "enum":
      return { type: "choice", values: Object.values(definition.entries ?? {}) };
    case "literal":
      return { type: "choice", values: (definition.values ?? []).map(String) };
    case "array":
      return makeListKind(schema, definition.element);
    case "record":
      return { type: "map" };
    case "union":
      return makeUnionKind(schema, definition);
    case "object":
      return makePartsKind(schema as z.ZodObject);
    default:
      return { type: "json", schema };
  }
}

function makeListKind(schema: z.ZodType, element: z.ZodType | undefined): Kind {
  const item = element && readField("", element).kind;
  const isPlain = item !== undefined && item.type !== "json" && item.type !== "list";
  return isPlain ? { type: "list", item } : { type: "json", schema };
}

/** An amount is a number or a decimal text. A discriminated union is chosen by one field. */
function makeUnionKind(schema: z.ZodType, { options = [], discriminator }: Definition): Kind {
  const types = options.map((option) => definitionOf(option).type);
  if (types.includes("number") && types.every((type) => type === "number" || type === "string")) {
    return { type: "amount" };
  }
  if (discriminator === undefined) return { type: "json", schema };
  const variants = new Map<string, readonly Field[]>();
  for (const option of options) {
    const fields = readFields(option as z.ZodObject);
    const named = fields.find(({ name }) => name === discriminator);
    const rest = fields.filter((field) => field !== named);
    if (named?.kind.type !== "choice" || !rest.every(isPart)) return { type: "json", schema };
    for (const value of named.kind.values) variants.set(value, rest);
  }
  return { type: "variant", discriminator, variants };
}

function makePartsKind(schema: z.ZodObject): Kind {
  const fields = readFields(schema);
  const isWritable = fields.length > 0 && fields.every(isPart);
  return isWritable ? { type: "parts", fields } : { type: "json", schema };
}

/** True for a value that can be written between colons. */
function isPart({ kind, isRequired }: Field): boolean {
  return isRequired && (kind.type === "text" || kind.type === "choice" || kind.type === "integer");
}

/** Internal definition of a schema: zod's public types show only the kind. */
function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}
