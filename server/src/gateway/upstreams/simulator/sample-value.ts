import { asFields } from "./wire-request.ts";

// A value that fits a JSON schema well enough for a client's code to go on with it.

interface Schema {
  type?: unknown;
  enum?: unknown;
  const?: unknown;
  default?: unknown;
  properties?: unknown;
  items?: unknown;
  anyOf?: unknown;
  oneOf?: unknown;
  minimum?: unknown;
}

const MAX_DEPTH = 6;
const MAX_PROPERTIES = 50;

/** `name` is what the value is called: texts are made of it. References (`$ref`) become texts. */
export function sampleOf(schema: unknown, name: string, depth = 0): unknown {
  const fields: Schema | null = asFields(schema);
  if (fields === null || depth > MAX_DEPTH) return name;
  if (fields.const !== undefined) return fields.const;
  if (Array.isArray(fields.enum) && fields.enum.length > 0) return fields.enum[0];
  if (fields.default !== undefined) return fields.default;
  const [choice] = [fields.anyOf, fields.oneOf].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  if (choice !== undefined) return sampleOf(choice, name, depth + 1);
  const type = Array.isArray(fields.type) ? fields.type[0] : fields.type;
  switch (type) {
    case "object":
      return sampleObject(fields.properties, depth);
    case "array":
      return fields.items === undefined ? [] : [sampleOf(fields.items, name, depth + 1)];
    case "integer":
    case "number":
      return typeof fields.minimum === "number" ? fields.minimum : 1;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return fields.properties === undefined
        ? `sample ${name}`
        : sampleObject(fields.properties, depth);
  }
}

function sampleObject(properties: unknown, depth: number): Record<string, unknown> {
  const entries = Object.entries(asFields(properties) ?? {}).slice(0, MAX_PROPERTIES);
  return Object.fromEntries(entries.map(([key, value]) => [key, sampleOf(value, key, depth + 1)]));
}
