import { isObject } from "#src/lib/parse-json.ts";
import type { PatchOperation } from "./patch-operations.rule.ts";

// Changes of a group by a directory. The members of large groups are never compared as a whole resource, so no library applies
// PATCH here. Okta removes members by a filter in the path, and Entra by values.

/** One change of a group. Changes are applied in order. */
export type GroupChange =
  | { kind: "name"; displayName: string }
  | { kind: "external_id"; externalId: string | null }
  | { kind: "add" | "remove" | "set"; memberIds: readonly string[] };

export interface GroupState {
  displayName: string;
  externalId: string | null;
  memberIds: ReadonlySet<string>;
}

/** Refused part of a request, in the terms of SCIM. */
export interface GroupMistake {
  scimType: "invalidValue" | "invalidPath" | "mutability";
  detail: string;
}

type Read = { changes: GroupChange[] } | { mistake: GroupMistake };

const MAX_TEXT = 500;
/** Members that one request may name. */
export const MAX_NAMED_MEMBERS = 5_000;
const MEMBERS_FILTER = /^members\[(.+)\]$/i;
const EQUALITY = /^value eq "([^"\\]{1,100})"$/i;

/** Reads a whole group. Unstated members stay. */
export function readWholeGroup(body: Readonly<Record<string, unknown>>): Read {
  const values = new Map(Object.entries(body).map(([name, value]) => [name.toLowerCase(), value]));
  const stated = [
    { op: "replace", path: "displayName", value: values.get("displayname") },
    { op: "replace", path: "externalId", value: values.get("externalid") ?? null },
    { op: "replace", path: "members", value: values.get("members") },
  ] as const;
  return readGroupChanges(
    stated.filter(({ path, value }) => path !== "members" || (value ?? null) !== null),
  );
}

/** Reads the operations of a PATCH request, on attributes of groups only. */
export function readGroupChanges(operations: readonly PatchOperation[]): Read {
  const changes: GroupChange[] = [];
  for (const operation of operations.flatMap(splitByPath)) {
    const read = readOne(operation);
    if ("mistake" in read) return read;
    changes.push(...read.changes);
  }
  const named = changes.reduce(
    (count, change) => count + ("memberIds" in change ? change.memberIds.length : 0),
    0,
  );
  if (named <= MAX_NAMED_MEMBERS) return { changes };
  return refuse("invalidValue", `A request names at most ${MAX_NAMED_MEMBERS} members.`);
}

/** Returns the group after the changes. */
export function applyGroupChanges(before: GroupState, changes: readonly GroupChange[]): GroupState {
  const memberIds = new Set(before.memberIds);
  let { displayName, externalId } = before;
  for (const change of changes) {
    switch (change.kind) {
      case "name":
        displayName = change.displayName;
        break;
      case "external_id":
        externalId = change.externalId;
        break;
      case "set":
        memberIds.clear();
        for (const id of change.memberIds) memberIds.add(id);
        break;
      case "add":
        for (const id of change.memberIds) memberIds.add(id);
        break;
      case "remove":
        for (const id of change.memberIds) memberIds.delete(id);
    }
  }
  return { displayName, externalId, memberIds };
}

/** An operation without a path has its attributes in the value. */
function splitByPath({ op, path, value }: PatchOperation): Required<PatchOperation>[] {
  if (path !== undefined) return [{ op, path, value }];
  return Object.entries(isObject(value) ? value : {}).map(([name, part]) => ({
    ...{ op, path: name, value: part },
  }));
}

function readOne({ op, path, value }: Required<PatchOperation>): Read {
  switch (path.toLowerCase()) {
    case "displayname":
      if (op === "remove") return refuse("mutability", "displayName is required.");
      return isText(value)
        ? { changes: [{ kind: "name", displayName: value }] }
        : refuse("invalidValue", `displayName: expected a text of at most ${MAX_TEXT} characters.`);
    case "externalid": {
      const externalId = op === "remove" ? null : (value ?? null);
      return externalId === null || isText(externalId)
        ? { changes: [{ kind: "external_id", externalId }] }
        : refuse("invalidValue", `externalId: expected a text of at most ${MAX_TEXT} characters.`);
    }
    case "members": {
      const isAll = op === "remove" && (value ?? null) === null;
      const memberIds = isAll ? [] : readMemberIds(value);
      if (memberIds === null) {
        return refuse("invalidValue", "members: expected objects with the id of a user as value.");
      }
      return { changes: [{ kind: isAll || op === "replace" ? "set" : op, memberIds }] };
    }
    default:
      return readFiltered(op, path);
  }
}

/** Reads `members[value eq "…"]`, also with `or`. */
function readFiltered(op: PatchOperation["op"], path: string): Read {
  const filter = MEMBERS_FILTER.exec(path)?.[1];
  const memberIds = filter?.split(/ or /i).map((part) => EQUALITY.exec(part.trim())?.[1] ?? null);
  if (op !== "remove" || memberIds === undefined || memberIds.includes(null)) {
    return refuse("invalidPath", 'Expected members or members[value eq "…"] with op remove.');
  }
  return { changes: [{ kind: "remove", memberIds: memberIds.filter((id) => id !== null) }] };
}

/** Reads one member or a list. Null: one of them is no user. */
function readMemberIds(value: unknown): string[] | null {
  const ids = (Array.isArray(value) ? value : [value]).map(readMemberId);
  return ids.includes(null) ? null : ids.filter((id) => id !== null);
}

function readMemberId(member: unknown): string | null {
  if (isText(member)) return member;
  if (!isObject(member)) return null;
  const fields = new Map(
    Object.entries(member).map(([name, part]) => [name.toLowerCase(), part] as const),
  );
  const [id, type] = [fields.get("value"), fields.get("type") ?? "User"];
  return isText(id) && typeof type === "string" && type.toLowerCase() === "user" ? id : null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_TEXT;
}

function refuse(scimType: GroupMistake["scimType"], detail: string): { mistake: GroupMistake } {
  return { mistake: { scimType, detail } };
}
