import { Types } from "scimmy";
import { ScimFault } from "./scim-fault.ts";

export interface ListQuery {
  filter: Types.Filter | null;
  offset: number;
  limit: number;
}

export const MAX_COUNT = 200;
const DEFAULT_COUNT = 100;
const MAX_FILTER = 1_000;
const NAME_OR_TEXT = /"(?:[^"\\]|\\.)*"|urn:ietf:params:scim:schemas:core:2\.0:(?:User|Group):/gi;

/** Reads `filter`, `startIndex` and `count`. Throws a 400. */
export function readListQuery(query: Readonly<Record<string, unknown>>): ListQuery {
  const start = readInteger(query["startIndex"], 1);
  const count = readInteger(query["count"], DEFAULT_COUNT);
  return {
    filter: readFilter(query["filter"]),
    offset: Math.max(1, start) - 1,
    limit: Math.min(Math.max(0, count), MAX_COUNT),
  };
}

/**
 * Values by attribute of a filter that only compares attributes with `eq`, joined by `and`. Names are in lower case, such as
 * `members.value`. Null: another filter.
 */
export function findEqualities(filter: Types.Filter | null): ReadonlyMap<string, string> | null {
  if (filter === null || filter.length !== 1) return null;
  const found = new Map<string, string>();
  for (const [name, comparison] of listComparisons(filter[0], "")) {
    const [operator, value, ...more] = comparison;
    if (operator !== "eq" || typeof value !== "string" || more.length > 0) return null;
    found.set(name, value);
  }
  return found;
}

/** True if the filter compares the attribute or a part of it. */
export function isComparing(filter: Types.Filter, attribute: string): boolean {
  return filter.some((expression: unknown) =>
    listComparisons(expression, "").some(([name]) => name.split(".")[0] === attribute),
  );
}

function listComparisons(expression: unknown, prefix: string): [string, unknown[]][] {
  return Object.entries(expression ?? {}).flatMap(([name, part]): [string, unknown[]][] => {
    const path = prefix + name.toLowerCase();
    return Array.isArray(part) ? [[path, part]] : listComparisons(part, `${path}.`);
  });
}

/** Indexes of the resources that match. Texts are compared without case, like the attributes of users and groups. */
export function matchResources(filter: Types.Filter, resources: readonly object[]): number[] {
  const folded = new Types.Filter(JSON.parse(JSON.stringify([...filter]).toLowerCase()));
  return resources.flatMap((resource, index) => {
    const lower: unknown = JSON.parse(JSON.stringify(resource).toLowerCase());
    return folded.match([lower]).length > 0 ? [index] : [];
  });
}

function readFilter(text: unknown): Types.Filter | null {
  if (text === undefined || text === "") return null;
  if (typeof text !== "string" || text.length > MAX_FILTER) {
    throw new ScimFault(400, "invalidFilter", "The filter is too long.");
  }
  try {
    // Names may begin with their schema. Quoted texts stay.
    return new Types.Filter(text.replace(NAME_OR_TEXT, (part) => (part[0] === '"' ? part : "")));
  } catch (error) {
    const detail = error instanceof Error ? error.message : "The filter is invalid.";
    throw new ScimFault(400, "invalidFilter", detail);
  }
}

function readInteger(value: unknown, missing: number): number {
  if (value === undefined || value === "") return missing;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new ScimFault(400, "invalidValue", "startIndex and count are integers.");
}
