import type { Database, Tx } from "#src/db/pool.ts";

export interface OwnerRow {
  id: string;
  email: string;
  name: string;
  status: "active" | "deactivated";
  last_active_at: Date | null;
  has_two_factor: boolean;
}

/** Lists owners that are or can be reactivated, first one first. */
export async function listOwners(db: Database | Tx, organizationId: string): Promise<OwnerRow[]> {
  const rows = await db
    .selectFrom("member")
    .leftJoin("auth_user", "auth_user.id", "member.id")
    .select([
      "member.id",
      "member.email",
      "member.name",
      "member.status",
      "member.last_active_at",
      "auth_user.two_factor_enabled",
    ])
    .where("member.organization_id", "=", organizationId)
    .where("member.role", "=", "owner")
    .where("member.status", "<>", "removed")
    .orderBy("member.created_at")
    .orderBy("member.id")
    .execute();
  return rows.map(({ two_factor_enabled, status, ...row }) => ({
    ...row,
    status: status === "active" ? "active" : "deactivated",
    has_two_factor: two_factor_enabled ?? false,
  }));
}
