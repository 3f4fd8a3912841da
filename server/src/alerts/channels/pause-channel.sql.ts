import type { Tx } from "#src/db/pool.ts";

/** Null if the channel is already paused, off or deleted. */
export async function pauseChannel(
  tx: Tx,
  of: { organizationId: string; id: string; reason: string; now: Date },
): Promise<{ name: string; kind: string } | null> {
  const row = await tx
    .updateTable("alert_channel")
    .set((eb) => ({
      paused_at: of.now,
      pause_reason: of.reason,
      version: eb("version", "+", 1),
      updated_at: of.now,
    }))
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .where("paused_at", "is", null)
    .where("archived_at", "is", null)
    .where("is_enabled", "=", true)
    .returning(["name", "kind"])
    .executeTakeFirst();
  return row ?? null;
}
