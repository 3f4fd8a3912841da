import type { Tx } from "#src/db/pool.ts";

interface ContactOf {
  organizationId: string;
  ids: readonly string[];
  memberId: string;
}

/** Makes the member the contact of API keys without an owner. Gives no right. */
export async function setApiKeyContacts(tx: Tx, of: ContactOf): Promise<void> {
  if (of.ids.length === 0) return;
  await tx
    .updateTable("api_key")
    .set({ contact_member_id: of.memberId })
    .where("organization_id", "=", of.organizationId)
    .where("owner_member_id", "is", null)
    .where("id", "in", of.ids)
    .execute();
}

/** Makes the member the contact of admin keys. Gives no right. */
export async function setAdminKeyContacts(tx: Tx, of: ContactOf): Promise<void> {
  if (of.ids.length === 0) return;
  await tx
    .updateTable("admin_key")
    .set({ contact_member_id: of.memberId })
    .where("organization_id", "=", of.organizationId)
    .where("id", "in", of.ids)
    .execute();
}
