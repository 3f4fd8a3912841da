import type { Field, Shape } from "./reference.ts";

// Makes example values of shapes, for the samples of an operation.

const MAX_DEPTH = 6;

/** Values that read better than one derived from the type. */
const usual: Readonly<Record<string, unknown>> = {
  name: "Research",
  email: "ada@example.com",
  emails: ["ada@example.com"],
  to: "ada@example.com",
  model: "claude-sonnet-5",
  max_tokens: 200,
  messages: [{ role: "user", content: "Hello, Claude" }],
  limit_usd: "100.00",
  monthly_limit_usd: "100.00",
  amount_usd: "100.00",
  url: "https://example.com/hook",
};

type Shapes = Readonly<Record<string, Shape>>;

/** Value with the required fields. An object without one has its first field, because an empty change is refused. */
export function makeExample(shape: Shape, shapes: Shapes, depth = 0): unknown {
  const type = shape.type.replace(/ \| null$/, "");
  if (depth > MAX_DEPTH) return null;
  if (type.endsWith("[]")) {
    return [
      makeExample(
        { ...shape, type: type.slice(0, -2).replace(/^\((.*)\)$/, "$1") },
        shapes,
        depth + 1,
      ),
    ];
  }
  if (type.startsWith("map of ")) return {};
  if (shape.values?.[0] !== undefined) return toValue(shape.values[0], type);
  const [variant] = shape.variants ?? [];
  if (variant) return makeExample(variant, shapes, depth + 1);
  const shared = shape.shared === undefined ? undefined : shapes[shape.shared];
  if (shared) return makeExample(shared, shapes, depth + 1);
  if (shape.fields) return makeObject(shape.fields, shapes, depth);
  return makePrimitive(shape, type);
}

function makeObject(fields: readonly Field[], shapes: Shapes, depth: number): unknown {
  const required = fields.filter(({ isRequired }) => isRequired);
  const shown = required.length > 0 ? required : depth === 0 ? fields.slice(0, 1) : [];
  return Object.fromEntries(
    shown.map((field) => [field.name, makeFieldExample(field, shapes, depth + 1)]),
  );
}

/** Value of one field or parameter. */
export function makeFieldExample(field: Field, shapes: Shapes, depth = 0): unknown {
  return usual[field.name] ?? makeExample(field, shapes, depth);
}

/** Values of an enumeration are texts. */
function toValue(value: string, type: string): unknown {
  if (type === "boolean") return value === "true";
  return type === "number" || type === "integer" ? Number(value) : value;
}

function makePrimitive({ about = "", bounds = "" }: Shape, type: string): unknown {
  const [first = ""] = type.split(" | ");
  if (first === "boolean") return true;
  if (first === "integer" || first === "number") return Number(/\d+/.exec(bounds)?.[0] ?? 1) || 1;
  if (first === "object" || first === "any") return {};
  // Descriptions have the prefix of an id, or an example.
  const named = /`(\w+_…)`|such as `([^`]+)`/.exec(about);
  if (named) return named[1] ?? named[2];
  if (bounds.includes("RFC 3339")) return "2027-01-01T00:00:00Z";
  if (bounds.includes("YYYY-MM-DD")) return "2027-01-01";
  // Whole cents, or another decimal, as text.
  if (bounds.includes("pattern `^\\d")) return "10000";
  return about.includes("decimal text") ? "10" : "…";
}
