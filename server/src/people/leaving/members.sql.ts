import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export type MemberStatus = "active" | "deactivated" | "removed";

export interface MemberRow {
  id: string;
  email: string;
  name: string;
  role: OrganizationRole;
  status: MemberStatus;
  created_at: Date;
  last_active_at: Date | null;
  removed_at: Date | null;
}

export const memberColumns = [
  "id",
  "email",
  "name",
  "role",
  "status",
  "created_at",
  "last_active_at",
  "removed_at",
] as const;

export interface MemberOf {
  organizationId: string;
  id: string;
}

export async function findMember(db: Database | Tx, of: MemberOf): Promise<MemberRow | null> {
  const row = await db
    .selectFrom("member")
    .select(memberColumns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

export async function updateMember(tx: Tx, of: MemberOf, row: MemberRow): Promise<void> {
  await tx
    .updateTable("member")
    .set({ role: row.role, status: row.status, removed_at: row.removed_at })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}

/** Counts active owners except this member. */
export async function countOtherOwners(db: Database | Tx, of: MemberOf): Promise<number> {
  const row = await db
    .selectFrom("member")
    .select(sql<number>`count(*)::integer`.as("count"))
    .where("organization_id", "=", of.organizationId)
    .where("id", "!=", of.id)
    .where("role", "=", "owner")
    .where("status", "=", "active")
    .executeTakeFirstOrThrow();
  return row.count;
}
