import { idPrefixes } from "@bursar/contract/ids.ts";
import type { AuditDeps, AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { newId } from "#src/lib/ids.ts";
import { addGroupMembers, removeGroupMembers } from "#src/people/groups/group-members.ts";
import { findGroup as findMemberGroup } from "#src/people/groups/groups.sql.ts";
import { removeGroup } from "#src/people/groups/groups.ts";
import {
  deleteProvidedMembers,
  insertProvidedMembers,
  listProvidedMemberIds,
} from "#src/people/groups/provided-members.sql.ts";
import { invalidateScopeName } from "#src/spend/ledger/limits.sql.ts";
import { type Change, changePeople, type FeedCall } from "./change-people.ts";
import { applyGroupChanges, type GroupChange, type GroupState } from "./group-changes.rule.ts";
import { readGroupName } from "./group-resource.ts";
import { listUnknownUsers } from "./listed-members.sql.ts";
import {
  insertProvidedGroup,
  listProvidedGroups,
  type ProvidedGroupFilter,
  type ProvidedGroupRow,
  updateProvidedGroup,
} from "./provided-groups.sql.ts";
import { ScimFault } from "./scim-fault.ts";

/** Bounds the resource of one group. */
const MAX_GROUP_MEMBERS = 20_000;

/** Throws a 404. */
export function getGroup(
  { database }: Pick<AuditDeps, "database">,
  { directory }: FeedCall,
  id: string,
): Promise<ProvidedGroupRow> {
  return findGroup(database, directory.id, { id });
}

/** Throws a 409 for a name or external id of another group of the directory. */
export function createGroup(
  deps: AuditDeps,
  call: FeedCall,
  changes: readonly GroupChange[],
): Promise<ProvidedGroupRow> {
  return changePeople(deps, call, async (change) => {
    const { tx, now, audit } = change;
    const { id: directoryId, organization_id: organizationId } = call.directory;
    const none: GroupState = { displayName: "", externalId: null, memberIds: new Set() };
    const { displayName, externalId, memberIds } = applyGroupChanges(none, changes);
    const id = newId(idPrefixes.group, now.getTime(), deps.randomBytes);
    const saved = { id, name: readGroupName(displayName), externalId, now };
    await checkUnique(tx, directoryId, saved);
    await insertProvidedGroup(tx, { ...saved, organizationId, directoryId });
    audit.push(auditOf("created", id, null, { ...saved, directoryId }));
    await changeMembers(change, saved, { before: none.memberIds, after: memberIds });
    return findGroup(tx, directoryId, { id });
  });
}

/**
 * Changes a group in the order of the changes. Its roles, models and limits stay. Throws a 404, and a 409 for a name or external
 * id of another group of the directory.
 */
export function changeGroup(
  deps: AuditDeps,
  call: FeedCall,
  id: string,
  changes: readonly GroupChange[],
): Promise<ProvidedGroupRow> {
  return changePeople(deps, call, async (change) => {
    const { tx, now, audit } = change;
    const directoryId = call.directory.id;
    const row = await findGroup(tx, directoryId, { id });
    const before = {
      displayName: row.name,
      externalId: row.external_id,
      memberIds: new Set(await listProvidedMemberIds(tx, id)),
    };
    const after = applyGroupChanges(before, changes);
    const name = after.displayName === row.name ? row.name : readGroupName(after.displayName);
    const { externalId } = after;
    const saved = { id, name, externalId, now };
    await checkUnique(tx, directoryId, saved);
    if (name !== row.name || externalId !== row.external_id) {
      const old = { name: row.name, externalId: row.external_id, directoryId };
      audit.push(auditOf("updated", id, old, { ...saved, directoryId }));
    }
    const lists = { before: before.memberIds, after: after.memberIds };
    const isChanged = await changeMembers(change, saved, lists);
    if (isChanged || audit.length > 0) await updateProvidedGroup(tx, saved);
    if (name !== row.name) await invalidateScopeName(tx, { scopeType: "group", scopeId: id });
    return findGroup(tx, directoryId, { id });
  });
}

/** Deletes the group with all its memberships, roles and limits. Throws a 404. */
export function deleteGroup(deps: AuditDeps, call: FeedCall, id: string): Promise<void> {
  return changePeople(deps, call, async ({ tx, audit }) => {
    const { id: directoryId, organization_id: organizationId } = call.directory;
    await findGroup(tx, directoryId, { id });
    const group = await findMemberGroup(tx, { organizationId, id });
    if (group === null) throw groupNotFound();
    audit.push(await removeGroup(tx, deps, group, { organizationId, rank: null }));
  });
}

async function findGroup(
  db: Database | Tx,
  directoryId: string,
  filter: ProvidedGroupFilter,
): Promise<ProvidedGroupRow> {
  const [row] = await listProvidedGroups(db, { directoryId, filter }, { offset: 0, limit: 1 });
  if (row === undefined) throw groupNotFound();
  return row;
}

async function checkUnique(
  tx: Tx,
  directoryId: string,
  { id, name, externalId }: { id: string; name: string; externalId: string | null },
): Promise<void> {
  const filters = {
    displayName: { name },
    ...(externalId !== null && { externalId: { externalId } }),
  };
  for (const [field, filter] of Object.entries(filters)) {
    const same = await listProvidedGroups(tx, { directoryId, filter }, { offset: 0, limit: 2 });
    if (same.every((other) => other.id === id)) continue;
    throw new ScimFault(409, "uniqueness", `Another group has this ${field}.`);
  }
}

/** Changes the directory's list, and the memberships that follow from it. Returns whether the list has changed. */
async function changeMembers(
  { tx, deps, call, now, audit }: Change,
  group: { id: string; name: string },
  { before, after }: Record<"before" | "after", ReadonlySet<string>>,
): Promise<boolean> {
  if (after.size > MAX_GROUP_MEMBERS) {
    throw new ScimFault(400, "invalidValue", `A group has at most ${MAX_GROUP_MEMBERS} members.`);
  }
  const added = [...after].filter((id) => !before.has(id));
  const removed = [...before].filter((id) => !after.has(id));
  const { id: directoryId, organization_id: organizationId } = call.directory;
  const [unknown] = await listUnknownUsers(tx, { directoryId, ids: added });
  if (unknown !== undefined) {
    throw new ScimFault(400, "invalidValue", `members: no user has the id ${unknown}.`);
  }
  const groupId = group.id;
  const change = { organizationId, groupId, source: "scim" as const, rank: null };
  if (removed.length > 0) {
    await deleteProvidedMembers(tx, { groupId, memberIds: removed });
    audit.push(...(await removeGroupMembers(tx, deps, group, { ...change, memberIds: removed })));
  }
  if (added.length > 0) {
    await insertProvidedMembers(tx, { groupId, memberIds: added, now });
    audit.push(...(await addGroupMembers(tx, deps, group, { ...change, memberIds: added })));
  }
  return added.length + removed.length > 0;
}

interface AuditedGroup {
  name: string;
  externalId: string | null;
  directoryId: string;
}

function auditOf(
  verb: "created" | "updated",
  id: string,
  before: AuditedGroup | null,
  after: AuditedGroup,
): AuditEntry {
  const toAudit = ({ name, externalId, directoryId }: AuditedGroup) => ({
    ...{ name, source: "scim", directory_id: directoryId, external_id: externalId },
  });
  return {
    event: `group.${verb}`,
    subject: { type: "group", id },
    workspaceId: null,
    before: before && toAudit(before),
    after: toAudit(after),
  };
}

function groupNotFound(): ScimFault {
  return new ScimFault(404, null, "Group not found.");
}
