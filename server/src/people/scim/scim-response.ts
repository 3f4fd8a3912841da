import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { ScimFault } from "./scim-fault.ts";
import { readSelection, type SelectedAttributes } from "./selected-attributes.rule.ts";

export interface ScimDeps extends AuditDeps {
  publicUrl: () => string;
}

export type ScimQuery = Readonly<Record<string, unknown>>;

export interface ScimRequest {
  method: string;
  /** Path after `/scim/v2`. */
  path: string;
  query: ScimQuery;
  /** Parsed JSON. Empty without a body. */
  body: Record<string, unknown>;
}

export interface ScimResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  body: object | null;
}

export const SCIM_PATH = "/scim/v2";
const LIST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

export function ok(body: object): ScimResponse {
  return { status: 200, headers: {}, body };
}

export function created(body: object, location: string): ScimResponse {
  return { status: 201, headers: { location }, body };
}

export const noContent: ScimResponse = { status: 204, headers: {}, body: null };

export function toList(
  resources: readonly object[],
  of: { total: number; offset: number },
): object {
  return {
    schemas: [LIST_SCHEMA],
    totalResults: of.total,
    startIndex: of.offset + 1,
    itemsPerPage: resources.length,
    Resources: resources,
  };
}

/** Reads the attributes that the directory asks for. Throws a 400. */
export function readAttributes(query: ScimQuery): SelectedAttributes {
  const selection = readSelection(textOf(query["attributes"]), textOf(query["excludedAttributes"]));
  if (selection !== null) return selection;
  throw new ScimFault(400, "invalidValue", "attributes: too many names.");
}

export function routeNotFound(): ScimFault {
  return new ScimFault(404, null, "There is no such resource.");
}

/** A 405. */
export function methodNotAllowed(allow: string): ScimFault {
  return new ScimFault(405, null, `Allowed methods: ${allow}.`, { allow });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
