import type { Call } from "#src/access/call.ts";
import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { hasOrganizationPermission } from "#src/domain/rights.ts";
import type { MessageBody } from "./layout.ts";
import { findMail, listMail as listRows, type MailRow } from "./list-mail.sql.ts";
import { openBody } from "./queue-mail.ts";

export interface MailReadDeps {
  database: Database;
  sealingKey: Buffer;
  /** True if this node has a mail server. */
  isMailServerConfigured: boolean;
}

export async function listMail(
  deps: MailReadDeps,
  { caller }: Call,
  query: { statuses?: MailRow["status"][] | undefined },
  page: PageRequest,
): Promise<PageOfRows<MailRow>> {
  const filter = {
    organizationId: caller.organizationId,
    statuses: query.statuses ?? null,
  };
  return toPage(await listRows(deps.database, filter, page), page);
}

export interface ReadMail {
  row: MailRow;
  body: MessageBody | null;
  absentBecause: "sent" | "withdrawn" | "owners_only" | null;
}

/**
 * Returns a message with its body, if one is stored. Bodies that grant owner rights are hidden from lower roles. Throws
 * a 404.
 */
export async function getMail(deps: MailReadDeps, { caller }: Call, id: string): Promise<ReadMail> {
  const row = await findMail(deps.database, { organizationId: caller.organizationId, id });
  if (row === null)
    throw new ApiError("resource_not_found", `Message not found: ${id}`, {}, { resource: "mail" });
  if (row.body_sealed === null) {
    return { row, body: null, absentBecause: row.status === "withdrawn" ? "withdrawn" : "sent" };
  }
  if (row.is_owners_only && !hasOrganizationPermission(caller, "owners:write")) {
    return { row, body: null, absentBecause: "owners_only" };
  }
  return { row, body: openBody(deps.sealingKey, id, row.body_sealed), absentBecause: null };
}
