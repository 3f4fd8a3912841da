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

/** Attribute and value of a filter that is one comparison with `eq`, or null. */
export function findEquality(filter: Types.Filter | null): { name: string; value: string } | null {
  if (filter === null || filter.length !== 1) return null;
  const [first, ...others] = Object.entries(filter[0] as Record<string, unknown>);
  if (first === undefined || others.length > 0) return null;
  const [name, comparison] = first;
  if (!Array.isArray(comparison) || comparison.length !== 2) return null;
  const [operator, value] = comparison as unknown[];
  if (operator !== "eq" || typeof value !== "string") return null;
  return { name: name.toLowerCase(), value };
}

/** Resources that match. Texts are compared without case, like the attributes of users and groups. */
export function matchResources<Resource extends object>(
  filter: Types.Filter,
  resources: readonly Resource[],
): Resource[] {
  const folded = new Types.Filter(JSON.parse(JSON.stringify([...filter]).toLowerCase()));
  return resources.filter((resource) => {
    const lower: unknown = JSON.parse(JSON.stringify(resource).toLowerCase());
    return folded.match([lower]).length > 0;
  });
}

function readFilter(text: unknown): Types.Filter | null {
  if (text === undefined || text === "") return null;
  if (typeof text !== "string" || text.length > MAX_FILTER) {
    throw new ScimFault(400, "invalidFilter", "The filter is too long.");
  }
  try {
    return new Types.Filter(text);
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
