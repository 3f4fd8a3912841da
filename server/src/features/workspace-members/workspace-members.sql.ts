import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

/** An active member of the organization, seen from one workspace. */
export interface PersonRow {
  id: string;
  email: string;
  name: string;
  role: OrganizationRole;
  created_at: Date;
  given_role: GivenWorkspaceRole | null;
}

interface Place {
  organizationId: string;
  workspaceId: string;
}

/** Active members who were given a role in the workspace, or have one of `inheritingRoles`. One row more than the page. */
export async function listPeople(
  db: Database,
  of: Place & { inheritingRoles: readonly OrganizationRole[] },
  page: PageRequest,
): Promise<PersonRow[]> {
  const isOlder = page.direction === "older";
  const order = isOlder ? "desc" : "asc";
  let query = selectPeople(db, of).where((eb) =>
    eb.or([
      eb("workspace_member.role", "is not", null),
      eb("member.role", "in", of.inheritingRoles),
    ]),
  );
  const { from } = page;
  if (from) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple("member.created_at", "member.id"),
        isOlder ? "<" : ">",
        tuple(new Date(from.createdAtMs), from.id),
      ),
    );
  }
  return query
    .orderBy("member.created_at", order)
    .orderBy("member.id", order)
    .limit(page.limit + 1)
    .execute();
}

export async function findPerson(
  db: Database | Tx,
  of: Place & { memberId: string },
): Promise<PersonRow | null> {
  const row = await selectPeople(db, of).where("member.id", "=", of.memberId).executeTakeFirst();
  return row ?? null;
}

function selectPeople(db: Database | Tx, of: Place) {
  return db
    .selectFrom("member")
    .leftJoin("workspace_member", (join) =>
      join
        .onRef("workspace_member.member_id", "=", "member.id")
        .on("workspace_member.workspace_id", "=", of.workspaceId),
    )
    .select([
      "member.id",
      "member.email",
      "member.name",
      "member.role",
      "member.created_at",
      "workspace_member.role as given_role",
    ])
    .where("member.organization_id", "=", of.organizationId)
    .where("member.status", "=", "active");
}

/** Id of the member with the address who has not been removed, or null. */
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

interface Given {
  workspaceId: string;
  memberId: string;
}

export async function setGivenRole(
  tx: Tx,
  of: Given & { role: GivenWorkspaceRole },
): Promise<void> {
  await tx
    .insertInto("workspace_member")
    .values({ workspace_id: of.workspaceId, member_id: of.memberId, role: of.role })
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "member_id"]).doUpdateSet({ role: of.role }),
    )
    .execute();
}

export async function deleteGivenRole(tx: Tx, of: Given): Promise<void> {
  await tx
    .deleteFrom("workspace_member")
    .where("workspace_id", "=", of.workspaceId)
    .where("member_id", "=", of.memberId)
    .execute();
}
