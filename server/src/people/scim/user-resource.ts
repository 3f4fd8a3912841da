import { Messages, Types } from "scimmy";
import { z } from "zod";
import type { PatchOperation } from "./patch-operations.rule.ts";
import { readOperations } from "./read-operations.ts";
import { ScimFault, type ScimType } from "./scim-fault.ts";
import type { ScimAttributes } from "./user-identity.rule.ts";

export const USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const MAX_TEXT = 500;
const MAX_EMAILS = 20;

/** A user as its directory describes it. */
export interface UserInput {
  userName: string;
  externalId: string | null;
  /** Null: not stated. */
  active: boolean | null;
  attributes: ScimAttributes;
}

const text = (name: string, config: Types.Attribute.AttributeConfig = {}) =>
  new Types.Attribute("string", name, config);

/** Attributes of a user that this server stores. */
export const userDefinition = new Types.SchemaDefinition("User", USER_SCHEMA, "A person.", [
  text("userName", { required: true, uniqueness: "server" }),
  new Types.Attribute("complex", "name", {}, [
    text("formatted"),
    text("givenName"),
    text("familyName"),
  ]),
  text("displayName"),
  new Types.Attribute("boolean", "active"),
  new Types.Attribute("complex", "emails", { multiValued: true }, [
    text("value"),
    text("type"),
    new Types.Attribute("boolean", "primary"),
  ]),
]);

const attributes = ["externalId", ...userDefinition.attributes.map(({ name }) => name)];

/** A user always has a value of `active`, although a request needs none. */
export function describeUser(base: string): Types.SchemaDefinition.SchemaDescription {
  // The library returns attributes as instances, contrary to its types.
  const described = JSON.parse(
    JSON.stringify(userDefinition.describe(base)),
  ) as Types.SchemaDefinition.SchemaDescription;
  const attributes = described.attributes.map((each) =>
    each.name === "active" ? { ...each, required: true } : each,
  );
  return { ...described, attributes };
}

class UserResource extends Types.Schema {
  static override readonly id = USER_SCHEMA;
  static override get definition() {
    return userDefinition;
  }
  constructor(resource: object) {
    super(resource, "out");
    Object.assign(this, userDefinition.coerce(resource, "out"));
  }
}

const shortText = z.string().max(MAX_TEXT);
const fields = z.object({
  userName: z.string().min(1).max(MAX_TEXT),
  externalId: z.string().min(1).max(MAX_TEXT).nullish(),
  active: z.boolean().nullish(),
  displayName: shortText.optional(),
  name: z
    .object({
      formatted: shortText.optional(),
      givenName: shortText.optional(),
      familyName: shortText.optional(),
    })
    .optional(),
  emails: z
    .array(
      z.object({
        value: shortText,
        type: shortText.optional(),
        primary: z.boolean().optional(),
      }),
    )
    .max(MAX_EMAILS)
    .optional(),
});

/** Reads a whole user. Throws a 400. */
export function readUser(body: object): UserInput {
  const coerced = inTermsOfScim<object>(() => userDefinition.coerce(body, "in"));
  return readFields(coerced);
}

/** Applies a PATCH request to a user. Throws a 400. */
export async function patchUser(resource: object, body: object): Promise<UserInput> {
  const operations = readOperations(body, { schemaId: USER_SCHEMA, attributes });
  let current: object = resource;
  // One operation at a time: the library drops all of them if one changes nothing.
  for (const operation of operations) current = await applyOne(current, operation);
  return readFields(current);
}

async function applyOne(current: object, operation: PatchOperation): Promise<object> {
  if (operation.op === "remove" && operation.path?.toLowerCase() === "active") {
    throw new ScimFault(400, "mutability", "active is required.");
  }
  try {
    const request = new Messages.PatchOp({
      schemas: [PATCH_SCHEMA],
      Operations: [removeReplaced(current, operation)],
    });
    const patched: object | undefined = await request.apply(new UserResource(current));
    return toPlain(patched ?? current);
  } catch (error) {
    throw toFault(error);
  }
}

/** An added address replaces the one of the same type. The address stays primary, unless the operation says otherwise. */
function removeReplaced(current: object, operation: PatchOperation): PatchOperation {
  const { op, path, value } = operation;
  if (op !== "add" || path !== "emails" || !Array.isArray(value)) return operation;
  const added: { type?: unknown }[] = value;
  const { emails = [] } = current as ScimAttributes;
  const types = added.map(({ type }) => type);
  const isReplaced = ({ type }: { type?: unknown }) => type !== undefined && types.includes(type);
  const kept = emails.filter((each) => !isReplaced(each));
  const replaced = emails.filter(isReplaced);
  const merged = added.map((each) => ({
    ...replaced.find(({ type }) => type === each.type),
    ...each,
  }));
  return { op: "replace", path, value: [...kept, ...merged] };
}

function readFields(resource: object): UserInput {
  const parsed = fields.safeParse(toPlain(resource));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ScimFault(400, "invalidValue", `${issue?.path.join(".") ?? ""}: ${issue?.message}`);
  }
  const { userName, externalId, active, displayName, name, emails } = parsed.data;
  return {
    userName,
    externalId: externalId ?? null,
    active: active ?? null,
    attributes: { displayName, name, emails },
  };
}

function toPlain(resource: object): object {
  return JSON.parse(JSON.stringify(resource)) as object;
}

function inTermsOfScim<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toFault(error);
  }
}

/** The library throws its own errors for requests, and a TypeError for values. */
export function toFault(error: unknown): unknown {
  if (error instanceof Types.SCIMError) {
    return new ScimFault(error.status, (error.scimType || null) as ScimType | null, error.message);
  }
  return error instanceof TypeError ? new ScimFault(400, "invalidValue", error.message) : error;
}
