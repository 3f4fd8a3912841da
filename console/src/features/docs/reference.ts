import type { Block } from "../../kit/documents/blocks.ts";

// Data of the reference page. The build creates it from the contract: `console/build/read-reference.ts`. The list is loaded
// with the page, and the details when an operation is first opened.

export interface OperationEntry {
  /** Name in the contract, and the anchor of the operation. */
  id: string;
  method: string;
  path: string;
  summary: string;
}

/** Operations of one resource. */
export interface ResourceGroup {
  /** Anchor of the group. */
  id: string;
  title: string;
  operations: readonly OperationEntry[];
}

/** Part of the API: a tag of the OpenAPI document. */
export interface ReferenceSection {
  title: string;
  about: string;
  groups: readonly ResourceGroup[];
}

export interface ReferenceList {
  introduction: readonly Block[];
  sections: readonly ReferenceSection[];
}

export interface ReferenceDetails {
  /** Operations by id. */
  operations: Readonly<Record<string, OperationDetails>>;
  /** Shapes with a name, which several operations use. */
  shapes: Readonly<Record<string, Shape>>;
  /** Statuses of errors with their meaning. Operations refer to them by place. */
  statuses: readonly StatusMeaning[];
  codes: readonly ErrorCodeEntry[];
}

export interface StatusMeaning {
  status: number;
  about: string;
}

export interface ErrorCodeEntry {
  code: string;
  status: number;
  meaning: string;
  /** Members of `error.details` that the code always has. */
  facts: readonly string[];
}

/** Callers of an operation. A program needs a key. Only a browser has a session. */
export type CallerKind = "key" | "session" | "operator" | "none";

export interface OperationDetails {
  about?: string;
  caller: CallerKind;
  /** Rights that the caller needs, as a sentence. */
  needs: string;
  /** Rule for a new proof of identity, as a sentence. */
  stepUp?: string;
  /** Audit event of the change. */
  event?: string;
  /** Example command lines, one each. */
  commands?: readonly string[];
  parameters: readonly Parameter[];
  body?: Message;
  response: Message;
  /** Headers of the response beside `request-id`. */
  headers?: readonly { name: string; about: string }[];
  /** Places in `statuses`. */
  errors: readonly number[];
}

/** Content of a request or a response. */
export interface Message {
  mediaTypes: readonly string[];
  shape: Shape;
}

export interface Parameter extends Field {
  place: "path" | "query" | "header";
}

/** A value on the wire. */
export interface Shape {
  /** Type as in TypeScript: `string`, `Workspace[]`, `integer | null`. */
  type: string;
  about?: string;
  /** Allowed values. */
  values?: readonly string[];
  /** Length, range, format and default, in words. */
  bounds?: string;
  /** Only one response ever contains the value. */
  isShownOnce?: true;
  /** Name of a shared shape: of the value, or of its entries. */
  shared?: string;
  /** Fields of the object, or of the entries of the list. */
  fields?: readonly Field[];
  /** Alternative objects. */
  variants?: readonly Shape[];
}

export interface Field extends Shape {
  name: string;
  isRequired?: true;
}
