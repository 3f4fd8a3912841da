import {
  type OwnedKind,
  type OwnedThing,
  ownedKinds,
} from "@bursar/contract/admin/owned-things.ts";
import type { OrganizationAction } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Caller } from "#src/domain/caller.ts";
import { findOrganizationReach, hasOrganizationPermission } from "#src/domain/rights.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import { memberNotFound } from "#src/people/members/member-not-found.ts";
import { type LeftBehindRow, listLeft, listOwned } from "./owned-things.sql.ts";

/** Most things of a member that a call lists or hands over. */
export const MAX_THINGS = 5_000;
const MAX_MEMBERS = 1_000;

/** Lists things that name the member as responsible. Throws a 404. */
export async function listOwnedThings(
  deps: AuditDeps,
  { caller }: Call,
  memberId: string,
): Promise<OwnedThing[]> {
  const { organizationId } = caller;
  const member = await findMember(deps.database, { organizationId, id: memberId });
  if (member === null) throw memberNotFound(memberId);
  const filter = { organizationId, kinds: listKinds(caller), now: new Date(deps.nowMs()) };
  return listOwned(deps.database, { ...filter, memberId, limit: MAX_THINGS });
}

/** Lists members who are not active and still responsible for things. */
export function listLeftBehind(deps: AuditDeps, { caller }: Call): Promise<LeftBehindRow[]> {
  const { organizationId } = caller;
  const filter = { organizationId, kinds: listKinds(caller), now: new Date(deps.nowMs()) };
  return listLeft(deps.database, { ...filter, limit: MAX_MEMBERS });
}

/** Right of the organization to change things of the kind. API keys have one in workspaces. */
const rights: Readonly<Record<Exclude<OwnedKind, "api_key">, OrganizationAction>> = {
  access_review: "access_reviews:write",
  alert_channel: "alert_channels:write",
  admin_key: "admin_keys:write",
};

/** Lists the kinds whose things the caller can change, all of them. */
export function listKinds(caller: Caller): OwnedKind[] {
  return ownedKinds.filter((kind) =>
    kind === "api_key"
      ? findOrganizationReach(caller, "api_keys:write") === "all"
      : hasOrganizationPermission(caller, rights[kind]),
  );
}
