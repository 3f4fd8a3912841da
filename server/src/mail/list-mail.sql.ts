import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface MailRow {
  id: string;
  kind: string;
  to_address: string;
  subject: string;
  status: "queued" | "sent" | "failed" | "withdrawn";
  attempts: number;
  last_error: string | null;
  created_at: Date;
  sent_at: Date | null;
}

const columns = [
  "id",
  "kind",
  "to_address",
  "subject",
  "status",
  "attempts",
  "last_error",
  "created_at",
  "sent_at",
] as const;

/** Selects one row more than the page contains. */
export async function listMail(
  db: Database | Tx,
  filter: { organizationId: string; statuses: readonly MailRow["status"][] | null },
  page: PageRequest,
): Promise<MailRow[]> {
  let query = db
    .selectFrom("mail")
    .select(columns)
    .where("organization_id", "=", filter.organizationId);
  if (filter.statuses) query = query.where("status", "in", filter.statuses);
  return selectPage(query, page).execute();
}

export interface MailWithBodyRow extends MailRow {
  body_sealed: Uint8Array | null;
}

export async function findMail(
  db: Database | Tx,
  of: { organizationId: string; id: string },
): Promise<MailWithBodyRow | null> {
  const row = await db
    .selectFrom("mail")
    .select([...columns, "body_sealed"])
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

/** True if the address belongs to the member. */
export async function isAddressOf(
  tx: Tx,
  of: { memberId: string; address: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("member")
    .select("id")
    .where("id", "=", of.memberId)
    .where("email", "=", of.address)
    .executeTakeFirst();
  return row !== undefined;
}
