import type { Tx } from "#src/db/pool.ts";

export async function hasDirectory(
  tx: Tx,
  of: { organizationId: string; directoryId: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("directory")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.directoryId)
    .executeTakeFirst();
  return row !== undefined;
}
