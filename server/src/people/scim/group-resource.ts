import { nameText } from "@bursar/contract/fields.ts";
import { Types } from "scimmy";
import {
  type GroupChange,
  type GroupMistake,
  readGroupChanges,
  readWholeGroup,
} from "./group-changes.rule.ts";
import { readOperations } from "./read-operations.ts";
import { ScimFault } from "./scim-fault.ts";

export const GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group";

const text = (name: string, config: Types.Attribute.AttributeConfig = {}) =>
  new Types.Attribute("string", name, config);

/** Attributes of a group that this server stores. */
export const groupDefinition = new Types.SchemaDefinition("Group", GROUP_SCHEMA, "A group.", [
  text("displayName", { required: true, uniqueness: "server" }),
  new Types.Attribute("complex", "members", { multiValued: true, uniqueness: false }, [
    text("value", { mutable: "immutable" }),
    text("type", { mutable: "immutable", canonicalValues: ["User"] }),
    new Types.Attribute("reference", "$ref", { mutable: "immutable", referenceTypes: ["User"] }),
  ]),
]);

const attributes = ["externalId", "displayName", "members"];

/** Reads a whole group as changes of all its attributes. Throws a 400. */
export function readGroup(body: Readonly<Record<string, unknown>>): GroupChange[] {
  return unwrap(readWholeGroup(body));
}

/** Reads a PATCH request. Throws a 400. */
export function readGroupPatch(body: object): GroupChange[] {
  return unwrap(readGroupChanges(readOperations(body, { schemaId: GROUP_SCHEMA, attributes })));
}

/** Returns the name in the form of this server. Throws a 400. */
export function readGroupName(displayName: string): string {
  const parsed = nameText.safeParse(displayName);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ScimFault(400, "invalidValue", `displayName: ${issue?.message ?? "invalid"}`);
}

function unwrap(read: { changes: GroupChange[] } | { mistake: GroupMistake }): GroupChange[] {
  if ("changes" in read) return read.changes;
  throw new ScimFault(400, read.mistake.scimType, read.mistake.detail);
}
