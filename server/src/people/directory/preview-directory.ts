import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import { isCompanySignInOnly } from "#src/people/identity/company-sign-in.sql.ts";
import { listEndingClaimed, listGroupNames } from "./claimed-memberships.sql.ts";
import type { DirectoryRow } from "./directories.sql.ts";
import {
  applySettings,
  type DirectoryChange,
  type DirectoryDeps,
  getDirectory,
  listMappedGroups,
} from "./directories.ts";
import { countLinkedPeople, countSessions, type LinkedPeople } from "./linked-directories.sql.ts";
import { isAllowedDomain } from "./person-claims.rule.ts";

export interface DirectoryPreview {
  /** Active members whom the directory identifies. */
  linked: number;
  /** Members who can sign in through it now, and could not after the change. */
  refused: number;
  /** Refused members without a password, a passkey or another directory that they may use. */
  refusedWithoutOtherWay: number;
  sessions: number;
  /** Linked members by role, without owners. */
  roles: { role: Exclude<OrganizationRole, "owner">; members: number }[];
  /** Groups that lose members at once. */
  groups: { id: string; name: string; members: number }[];
}

/** Counts the people whom a change of the directory affects. Changes nothing. Throws a 404. */
export async function previewDirectoryChange(
  deps: Pick<DirectoryDeps, "database" | "nowMs">,
  { caller }: Pick<Call, "caller">,
  id: string,
  change: Omit<DirectoryChange, "client_secret">,
): Promise<DirectoryPreview> {
  const { database } = deps;
  const before = await getDirectory({ database }, { caller }, id);
  const after = applySettings(before, change);
  const people = await countLinkedPeople(database, id);
  const isBound = await isCompanySignInOnly(database, caller.organizationId);
  const refused = people.filter((each) => admits(before, each) && !admits(after, each));
  const hasOtherWay = ({ hasOwnSignIn, hasOtherDirectory }: LinkedPeople) =>
    hasOtherDirectory || (hasOwnSignIn && !isBound);
  return {
    linked: sum(people),
    refused: sum(refused),
    refusedWithoutOtherWay: sum(refused.filter((each) => !hasOtherWay(each))),
    sessions: await countSessions(database, { directoryId: id, now: new Date(deps.nowMs()) }),
    roles: countRoles(people),
    groups: await countEndingMemberships(deps, id, after),
  };
}

/** The rule of `admitPerson` for a member whom the directory identifies. */
function admits({ is_enabled, allowed_domains }: DirectoryRow, { domain }: LinkedPeople): boolean {
  return is_enabled && isAllowedDomain(`@${domain}`, allowed_domains);
}

function sum(people: readonly LinkedPeople[]): number {
  return people.reduce((total, { members }) => total + members, 0);
}

function countRoles(people: readonly LinkedPeople[]): DirectoryPreview["roles"] {
  const byRole = Map.groupBy(people, ({ role }) => role);
  return [...byRole].flatMap(([role, group]) =>
    role === "owner" ? [] : [{ role, members: sum(group) }],
  );
}

async function countEndingMemberships(
  { database }: Pick<DirectoryDeps, "database">,
  directoryId: string,
  after: DirectoryRow,
): Promise<DirectoryPreview["groups"]> {
  const exceptGroupIds = listMappedGroups(after);
  const ending = await listEndingClaimed(database, { directoryId, memberId: null, exceptGroupIds });
  const byGroup = Map.groupBy(ending, ({ group_id }) => group_id);
  const groups = await listGroupNames(database, [...byGroup.keys()]);
  return groups.map(({ id, name }) => ({ id, name, members: byGroup.get(id)?.length ?? 0 }));
}
