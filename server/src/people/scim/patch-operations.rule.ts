import { isObject } from "#src/lib/parse-json.ts";

// Providers write PATCH operations in forms that the RFC does not have. This rule converts them, so that the library reads
// only forms of the RFC. Okta sends values without a path. Entra sends `Replace`, texts for booleans, and filters that match no value.

export interface PatchOperation {
  op: "add" | "remove" | "replace";
  path?: string;
  value?: unknown;
}

export interface WrittenOperation {
  op: string;
  path?: string | undefined;
  value?: unknown;
}

const operations = ["add", "remove", "replace"] as const;
/** First attribute of a path, such as `emails` of `emails[type eq "work"].value`. */
const FIRST_ATTRIBUTE = /^[a-z$]+/i;
const EMAIL_OF_TYPE = /^emails\[type eq "([^"]{1,50})"\]\.value$/i;

/**
 * Returns the operations on known attributes. Operations on other attributes are left out, because providers send more
 * attributes than a server stores. Null: an operation is neither add, remove nor replace.
 */
export function normalizeOperations(
  written: readonly WrittenOperation[],
  { schemaId, attributes }: { schemaId: string; attributes: readonly string[] },
): PatchOperation[] | null {
  const known = new Set(attributes.map((name) => name.toLowerCase()));
  const isKnown = (path: string) => known.has(FIRST_ATTRIBUTE.exec(path)?.[0].toLowerCase() ?? "");
  const stripSchema = (path: string) =>
    path.toLowerCase().startsWith(`${schemaId.toLowerCase()}:`)
      ? path.slice(schemaId.length + 1)
      : path;
  const normalized: PatchOperation[] = [];
  for (const each of written) {
    const op = operations.find((name) => name === each.op.toLowerCase());
    if (op === undefined) return null;
    if (each.path !== undefined && each.path !== "") {
      const path = stripSchema(each.path);
      if (isKnown(path)) normalized.push(toStandard({ op, path, value: each.value }));
      continue;
    }
    const value = Object.entries(isObject(each.value) ? each.value : {})
      .map(([name, part]) => [stripSchema(name), part] as const)
      .filter(([name]) => isKnown(name))
      .map(([name, part]) => [name, toBooleans(name, part)] as const);
    if (value.length > 0) normalized.push({ op, value: Object.fromEntries(value) });
  }
  return normalized;
}

function toStandard({ op, path = "", value }: PatchOperation): PatchOperation {
  if (op === "remove") return value === undefined ? { op, path } : { op, path, value };
  const type = EMAIL_OF_TYPE.exec(path)?.[1];
  // The library refuses a filter without a match. Both providers mean "the address of this type".
  if (type !== undefined) return { op: "add", path: "emails", value: [{ type, value }] };
  return { op, path, value: toBooleans(path, value) };
}

/** Converts `"True"` and `"False"` of a boolean attribute. */
function toBooleans(path: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => toBooleans(path, each));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, toBooleans(name, each)]),
    );
  }
  if (typeof value !== "string" || !/(^|\.)(active|primary)$/i.test(path)) return value;
  if (value.toLowerCase() === "true") return true;
  return value.toLowerCase() === "false" ? false : value;
}
