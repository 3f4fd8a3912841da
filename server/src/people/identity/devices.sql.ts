import type { Database, Tx } from "#src/db/pool.ts";

export async function findDevice(
  db: Database | Tx,
  of: { tokenHash: Uint8Array; usedSince: Date },
): Promise<{ id: string; user_id: string; email: string } | null> {
  const row = await db
    .selectFrom("auth_device")
    .innerJoin("member", "member.id", "auth_device.user_id")
    .select(["auth_device.id", "auth_device.user_id", "member.email"])
    .where("auth_device.token_hash", "=", of.tokenHash)
    .where("auth_device.last_used_at", ">", of.usedSince)
    .executeTakeFirst();
  return row ?? null;
}

export async function insertDevice(
  tx: Tx,
  row: {
    id: string;
    user_id: string;
    token_hash: Uint8Array;
    created_at: Date;
    last_used_at: Date;
  },
): Promise<void> {
  await tx.insertInto("auth_device").values(row).execute();
}

export async function recordDeviceUse(tx: Tx, of: { id: string; now: Date }): Promise<void> {
  await tx
    .updateTable("auth_device")
    .set({ last_used_at: of.now })
    .where("id", "=", of.id)
    .execute();
}
