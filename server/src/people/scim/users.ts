import { nameText } from "@bursar/contract/fields.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { createDirectoryMember } from "#src/people/directory/create-directory-member.ts";
import type { DirectoryRow } from "#src/people/directory/directories.sql.ts";
import { isAllowedDomain } from "#src/people/directory/person-claims.rule.ts";
import { listPeopleWithEmail } from "#src/people/directory/sign-in.sql.ts";
import { restoreProvidedMember } from "#src/people/groups/group-members.ts";
import { auditOfMember, deactivate, isLastOwner } from "#src/people/leaving/deactivate.ts";
import { findMember, type MemberRow, updateMember } from "#src/people/leaving/members.sql.ts";
import { readEmailAddress } from "#src/people/members/email-address.rule.ts";
import { type Change, changePeople, type FeedCall } from "./change-people.ts";
import { deleteListedMember } from "./listed-members.sql.ts";
import { ScimFault } from "./scim-fault.ts";
import { chooseAddress, chooseName } from "./user-identity.rule.ts";
import type { UserInput } from "./user-resource.ts";
import {
  listDirectoriesOf,
  listUsers,
  markUserDeleted,
  saveUser,
  type UserRow,
  updateMemberIdentity,
} from "./users.sql.ts";

/** Throws a 404. */
export async function getUser(
  { database }: Pick<AuditDeps, "database">,
  { directory }: FeedCall,
  id: string,
): Promise<UserRow> {
  return findUser(database, directory.id, id);
}

/**
 * Provides a person: a new member, or an active one with the same address. Throws a 409 for a person who is provided
 * already, for an owner, and for a member who was deactivated or removed here.
 */
export function createUser(deps: AuditDeps, call: FeedCall, input: UserInput): Promise<UserRow> {
  return changePeople(deps, call, async (change) => {
    const { tx, now } = change;
    const { directory } = call;
    const email = readAddress(directory, input);
    await checkUnique(tx, directory.id, input, null);
    const provided = await findOrCreateMember(change, email, input);
    const memberId = provided.member.id;
    await saveUser(tx, { ...input, ...provided, directoryId: directory.id, memberId, now });
    const user = await findUser(tx, directory.id, memberId);
    return setActive(change, user, input.active ?? true);
  });
}

/** Replaces a user. An unstated `active` stays. Throws a 404, and a 409 for a taken name or address. */
export function replaceUser(
  deps: AuditDeps,
  call: FeedCall,
  id: string,
  makeInput: (before: UserRow) => Promise<UserInput>,
): Promise<UserRow> {
  return changePeople(deps, call, async (change) => {
    const { tx, now } = change;
    const directoryId = call.directory.id;
    const before = await findUser(tx, directoryId, id);
    const input = await makeInput(before);
    await checkUnique(tx, directoryId, input, id);
    await updateIdentity(change, before, input);
    const { is_creator: isCreator, is_suspended: isSuspended } = before;
    await saveUser(tx, { ...input, directoryId, memberId: id, isCreator, isSuspended, now });
    const user = await findUser(tx, directoryId, id);
    return setActive(change, user, input.active ?? user.member.status === "active");
  });
}

/** Deactivates the member and ends the user. The same person can return later. Throws a 404. */
export function deleteUser(deps: AuditDeps, call: FeedCall, id: string): Promise<void> {
  return changePeople(deps, call, async (change) => {
    const before = await findUser(change.tx, call.directory.id, id);
    const after = await setActive(change, before, false);
    const { is_suspended: isSuspended } = after;
    const of = { directoryId: call.directory.id, memberId: id, isSuspended, now: change.now };
    await markUserDeleted(change.tx, of);
    await deleteListedMember(change.tx, of);
  });
}

async function findUser(
  db: Parameters<typeof listUsers>[0],
  directoryId: string,
  id: string,
): Promise<UserRow> {
  const [row] = await listUsers(db, { directoryId, filter: { id } }, { offset: 0, limit: 1 });
  if (row === undefined) throw new ScimFault(404, null, "User not found.");
  return row;
}

function readAddress(directory: DirectoryRow, input: UserInput): string {
  const read = readEmailAddress(chooseAddress(input));
  if (read.kind === "invalid") {
    throw new ScimFault(400, "invalidValue", `emails or userName: ${read.reason}.`);
  }
  if (isAllowedDomain(read.email, directory.allowed_domains)) return read.email;
  throw new ScimFault(
    400,
    "invalidValue",
    "The directory does not allow the address. Add its domain in Bursar.",
  );
}

async function checkUnique(
  tx: Tx,
  directoryId: string,
  { userName, externalId }: UserInput,
  ownId: string | null,
): Promise<void> {
  const first = { offset: 0, limit: 1 };
  const [named] = await listUsers(tx, { directoryId, filter: { userName } }, first);
  const [identified] =
    externalId === null ? [] : await listUsers(tx, { directoryId, filter: { externalId } }, first);
  for (const [field, other] of [
    ["userName", named],
    ["externalId", identified],
  ] as const) {
    if (other === undefined || other.member.id === ownId) continue;
    throw new ScimFault(409, "uniqueness", `Another user has this ${field}.`);
  }
}

interface Provided {
  member: Pick<MemberRow, "id">;
  isCreator: boolean;
  isSuspended: boolean;
}

async function findOrCreateMember(
  change: Change,
  email: string,
  { attributes }: UserInput,
): Promise<Provided> {
  const { tx, deps, call, audit } = change;
  const { id: directoryId, organization_id: organizationId } = call.directory;
  const people = await listPeopleWithEmail(tx, { organizationId, email });
  const [person] = people.filter(({ status }) => status !== "removed");
  if (person !== undefined) return adopt(change, person.id);
  if (people.length > 0) {
    throw new ScimFault(409, "uniqueness", "This member was removed. Invite the address again.");
  }
  const name = toMemberName(attributes, email);
  const made = await createDirectoryMember(tx, deps, { directory: call.directory, email, name });
  audit.push({
    event: "member.created",
    subject: { type: "member", id: made.id },
    workspaceId: null,
    before: null,
    after: { email, name, role: made.role, directory_id: directoryId, invite_id: made.inviteId },
  });
  audit.push(...made.joined);
  return { member: made, isCreator: true, isSuspended: false };
}

/** Takes over a member with the same address. Their role stays. */
async function adopt({ tx, call, audit }: Change, memberId: string): Promise<Provided> {
  const { id: directoryId, organization_id: organizationId } = call.directory;
  const member = await findMember(tx, { organizationId, id: memberId });
  if (member === null) throw new ScimFault(404, null, "User not found.");
  const directories = await listDirectoriesOf(tx, memberId);
  const own = directories.find((each) => each.directory_id === directoryId);
  if (directories.some((each) => each !== own && each.deleted_at === null)) {
    throw new ScimFault(409, "uniqueness", "Another directory provides this member.");
  }
  if (member.role === "owner" && own === undefined) {
    throw new ScimFault(409, "uniqueness", "This member is an owner. Change the role first.");
  }
  const isSuspended = member.status === "deactivated" && own?.is_suspended === true;
  if (member.status !== "active" && !isSuspended) throw refuseReactivation();
  audit.push({
    event: "member.adopted",
    subject: { type: "member", id: memberId },
    workspaceId: null,
    before: null,
    after: { email: member.email, name: member.name, role: member.role, directory_id: directoryId },
  });
  return { member, isCreator: own?.is_creator ?? false, isSuspended };
}

/** Changes address and name of the member to those of the directory. */
async function updateIdentity(
  { tx, call, audit }: Change,
  before: UserRow,
  input: UserInput,
): Promise<void> {
  const { directory } = call;
  const { member } = before;
  const organizationId = directory.organization_id;
  const wanted = chooseAddress(input);
  const isSameAddress =
    wanted === chooseAddress({ userName: before.user_name, attributes: before.attributes });
  const email = isSameAddress ? member.email : readAddress(directory, input);
  const chosenName = chooseName(input.attributes);
  const name =
    chosenName === chooseName(before.attributes)
      ? member.name
      : toMemberName(input.attributes, email);
  if (email === member.email && name === member.name) return;
  // A changed address receives the links of password resets.
  if (member.role === "owner" || member.role === "admin") {
    const who = "an owner or admin, whose name and address directories do not change";
    throw new ScimFault(403, "mutability", `This member is ${who}.`);
  }
  const people = await listPeopleWithEmail(tx, { organizationId, email });
  if (people.some(({ id, status }) => id !== member.id && status !== "removed")) {
    throw new ScimFault(409, "uniqueness", "Another member has this address.");
  }
  await updateMemberIdentity(tx, { organizationId, id: member.id, email, name });
  audit.push(auditOfMember("member.updated", member, { ...member, email, name }));
}

/**
 * Deactivates or reactivates the member. Throws a 403 for the last active owner, and for the reactivation of a member whom
 * the directory did not deactivate.
 */
async function setActive(change: Change, user: UserRow, isActive: boolean): Promise<UserRow> {
  const { tx, deps, call, now, audit } = change;
  const { member } = user;
  if ((member.status === "active") === isActive) return user;
  const { id: directoryId, organization_id: organizationId } = call.directory;
  const { id } = member;
  if (isActive) {
    if (!user.is_suspended) throw refuseReactivation();
    const after: MemberRow = { ...member, status: "active" };
    await updateMember(tx, { organizationId, id }, after);
    audit.push(auditOfMember("member.reactivated", member, after));
    const place = { organizationId, memberId: id };
    audit.push(...(await restoreProvidedMember(tx, deps, place)));
  } else {
    if (await isLastOwner(tx, organizationId, member)) {
      throw new ScimFault(403, "mutability", "This is the last active owner of the organization.");
    }
    const of = { organizationId, nowMs: deps.nowMs() };
    const { after, ending } = await deactivate(tx, member, of);
    audit.push(auditOfMember("member.deactivated", member, after, ending));
  }
  await saveUser(tx, {
    ...{ directoryId, memberId: id, userName: user.user_name, externalId: user.external_id },
    ...{ attributes: user.attributes, isCreator: user.is_creator, isSuspended: !isActive, now },
  });
  return findUser(tx, directoryId, id);
}

function toMemberName(attributes: UserInput["attributes"], email: string): string {
  const parsed = nameText.safeParse(chooseName(attributes));
  return parsed.success ? parsed.data : (email.split("@", 1)[0] ?? email);
}

function refuseReactivation(): ScimFault {
  return new ScimFault(
    409,
    "mutability",
    "This member was deactivated in Bursar. Reactivate it there first.",
  );
}
