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
  /** True if the recipient is, or will be, an owner. */
  is_owners_only: boolean;
}

export async function findMail(
  db: Database | Tx,
  of: { organizationId: string; id: string },
): Promise<MailWithBodyRow | null> {
  const row = await db
    .selectFrom("mail")
    .select([...columns, "body_sealed", "is_for_owner"])
    .select(({ exists, selectFrom, ref }) =>
      exists(
        selectFrom("member")
          .select("member.id")
          .where("member.organization_id", "=", of.organizationId)
          .where("member.email", "=", ref("mail.to_address"))
          .where("member.role", "=", "owner")
          .where("member.status", "!=", "removed"),
      ).as("is_to_owner"),
    )
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  if (!row) return null;
  return { ...row, is_owners_only: row.is_for_owner || Boolean(row.is_to_owner) };
}
