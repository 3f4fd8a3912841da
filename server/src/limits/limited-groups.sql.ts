import type { Database, Tx } from "#src/db/pool.ts";
import type { GroupLimitMode } from "./limit-values.rule.ts";

// Groups with default limits for their members.

export async function findGroupLimitMode(
  db: Database | Tx,
  organizationId: string,
): Promise<GroupLimitMode> {
  const { group_limit_mode: mode } = await db
    .selectFrom("organization")
    .select("group_limit_mode")
    .where("id", "=", organizationId)
    .executeTakeFirstOrThrow();
  return mode;
}

/** Lists the members of a group. */
export async function listMemberIds(tx: Tx, groupId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom("group_member")
    .select("member_id")
    .where("group_id", "=", groupId)
    .orderBy("member_id")
    .execute();
  return rows.map(({ member_id: id }) => id);
}
