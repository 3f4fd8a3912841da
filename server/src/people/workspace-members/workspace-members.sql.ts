import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import {
  type MemberPlace,
  type PersonRow,
  type Place,
  selectPeople,
} from "./workspace-people.sql.ts";

/**
 * Lists active members with a role in the workspace, directly or through a group, or with one of `inheritingRoles`. Returns
 * one row more than the page.
 */
export async function listPeople(
  db: Database,
  of: Place & { inheritingRoles: readonly OrganizationRole[] },
  page: PageRequest,
): Promise<PersonRow[]> {
  const query = selectPeople(db, of).where((eb) =>
    eb.or([
      eb("member.role", "in", of.inheritingRoles),
      eb.exists(
        eb
          .selectFrom("given_workspace_role as given")
          .select("given.role")
          .whereRef("given.member_id", "=", "member.id")
          .where("given.workspace_id", "=", of.workspaceId),
      ),
    ]),
  );
  return selectPage(query, page, "member").execute();
}

/** Returns the id of the member with the address who was not removed, or null. */
export async function findMemberIdByEmail(
  tx: Tx,
  of: { organizationId: string; email: string },
): Promise<string | null> {
  const row = await tx
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("email", "=", of.email)
    .where("status", "!=", "removed")
    .executeTakeFirst();
  return row?.id ?? null;
}

export async function setAssignedRole(
  tx: Tx,
  of: MemberPlace & { role: GivenWorkspaceRole },
): Promise<void> {
  await tx
    .insertInto("workspace_member")
    .values({ workspace_id: of.workspaceId, member_id: of.memberId, role: of.role })
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "member_id"]).doUpdateSet({ role: of.role }),
    )
    .execute();
}
