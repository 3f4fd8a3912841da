// Attributes of a response that a directory asks for, by RFC 7644, section 3.9.

/** Names in lower case, without the schema, such as `name.familyname`. */
export interface SelectedAttributes {
  /** Null: all. */
  only: readonly string[] | null;
  except: readonly string[];
}

const ALWAYS = ["id", "schemas"];
const SCHEMA = /^urn:ietf:params:scim:schemas:core:2\.0:[a-z]+:/i;
const MAX_NAMES = 50;

/** Reads `attributes` and `excludedAttributes`. Null: more than 50 names. */
export function readSelection(
  attributes: string | undefined,
  excludedAttributes: string | undefined,
): SelectedAttributes | null {
  const [only, except] = [readNames(attributes), readNames(excludedAttributes)];
  if (only.length + except.length > MAX_NAMES) return null;
  return { only: only.length === 0 ? null : only, except };
}

/** True if a response has the attribute or a part of it. */
export function hasAttribute({ only, except }: SelectedAttributes, name: string): boolean {
  const own = name.toLowerCase();
  if (ALWAYS.includes(own)) return true;
  if (except.includes(own)) return false;
  return only === null || only.some((each) => each === own || each.startsWith(`${own}.`));
}

/** Leaves out the attributes that were not asked for. Each resource has `id` and `schemas`. */
export function selectAttributes(selection: SelectedAttributes, resource: object): object {
  if (selection.only === null && selection.except.length === 0) return resource;
  return Object.fromEntries(
    Object.entries(resource)
      .filter(([name]) => hasAttribute(selection, name))
      .map(([name, value]) => [name, selectParts(selection, name.toLowerCase(), value)]),
  );
}

function selectParts({ only, except }: SelectedAttributes, name: string, value: unknown): unknown {
  const isWhole = only === null || only.includes(name);
  const isNamed = (part: string) => only?.includes(`${name}.${part.toLowerCase()}`) === true;
  const isKept = (part: string) =>
    (isWhole || isNamed(part)) && !except.includes(`${name}.${part.toLowerCase()}`);
  const select = (each: unknown): unknown =>
    typeof each === "object" && each !== null && !ALWAYS.includes(name)
      ? Object.fromEntries(Object.entries(each).filter(([part]) => isKept(part)))
      : each;
  return Array.isArray(value) ? value.map(select) : select(value);
}

function readNames(text: string | undefined): string[] {
  const names = (text ?? "").split(",").map((name) => name.trim().replace(SCHEMA, ""));
  return names.filter((name) => name !== "").map((name) => name.toLowerCase());
}
