import type { DateFormat } from "@bursar/contract/admin/preferences.ts";
import type { Database, Tx } from "#src/db/pool.ts";

export interface ProfileRow {
  email: string;
  name: string;
  organization_name: string;
  has_password: boolean;
  has_two_factor: boolean;
  passkeys: number;
  preferences: {
    time_zone: string | null;
    date_format: DateFormat | null;
  };
}

/** The member and the member's sign-in methods. */
export async function findProfile(db: Database | Tx, memberId: string): Promise<ProfileRow | null> {
  const row = await db
    .selectFrom("member")
    .innerJoin("organization", "organization.id", "member.organization_id")
    .leftJoin("auth_user", "auth_user.id", "member.id")
    .leftJoin("member_preference", "member_preference.member_id", "member.id")
    .select((eb) => [
      "member.email",
      "member.name",
      "organization.name as organization_name",
      "auth_user.two_factor_enabled",
      "member_preference.time_zone",
      "member_preference.date_format",
      eb
        .exists(
          eb
            .selectFrom("auth_account")
            .select("auth_account.id")
            .whereRef("auth_account.user_id", "=", "member.id")
            .where("auth_account.password", "is not", null),
        )
        .as("has_password"),
      eb
        .selectFrom("auth_passkey")
        .select(eb.fn.countAll<bigint>().as("count"))
        .whereRef("auth_passkey.user_id", "=", "member.id")
        .as("passkeys"),
    ])
    .where("member.id", "=", memberId)
    .executeTakeFirst();
  if (!row) return null;
  const { has_password, two_factor_enabled, passkeys, time_zone, date_format, ...rest } = row;
  return {
    ...rest,
    has_password: Boolean(has_password),
    has_two_factor: two_factor_enabled ?? false,
    passkeys: Number(passkeys),
    preferences: { time_zone, date_format },
  };
}

/** Locks the member's row until the transaction ends. */
export async function lockProfile(
  tx: Tx,
  memberId: string,
): Promise<{ email: string; name: string }> {
  return tx
    .selectFrom("member")
    .select(["email", "name"])
    .where("id", "=", memberId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

export async function renameMember(tx: Tx, of: { id: string; name: string }): Promise<void> {
  await tx.updateTable("member").set({ name: of.name }).where("id", "=", of.id).execute();
}

/** Lists owners, then admins, who can sign in. The longest-standing come first. */
export function listAdministrators(
  db: Database | Tx,
  of: { organizationId: string; limit: number },
): Promise<{ name: string; email: string }[]> {
  return db
    .selectFrom("member")
    .select(["name", "email"])
    .where("organization_id", "=", of.organizationId)
    .where("role", "in", ["owner", "admin"])
    .where("status", "=", "active")
    .orderBy("role", "desc")
    .orderBy("created_at")
    .orderBy("id")
    .limit(of.limit)
    .execute();
}

/** Lists active workspaces by name. `onlyIds` null: all of the organization. Returns up to `limit` plus one rows. */
export function listWorkspacesByName(
  db: Database | Tx,
  of: { organizationId: string; onlyIds: readonly string[] | null; limit: number },
): Promise<{ id: string; name: string }[]> {
  let query = db
    .selectFrom("workspace")
    .select(["id", "name"])
    .where("organization_id", "=", of.organizationId)
    .where("archived_at", "is", null);
  if (of.onlyIds !== null) query = query.where("id", "in", [...of.onlyIds, ""]);
  return query
    .orderBy("name")
    .orderBy("id")
    .limit(of.limit + 1)
    .execute();
}
