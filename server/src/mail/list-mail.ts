import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { hasAccessLinks, hideLinks } from "./hide-links.rule.ts";
import type { MessageBody } from "./layout.ts";
import { findMail, isAddressOf, listMail as listRows, type MailRow } from "./list-mail.sql.ts";
import { openBody } from "./queue-mail.ts";

export interface MailReadDeps extends AuditDeps {
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
  absentBecause: "sent" | "withdrawn" | null;
  /** Whether links that grant access are in the body. */
  accessLinks: "none" | "shown" | "hidden";
}

/**
 * Returns a message with its body, if one is stored. Only the operator and the recipient get links that grant access. Each
 * reading of such a message is an audit event, also without the links. Throws a 404, and requests a step-up from the
 * recipient.
 */
export function getMail(
  deps: MailReadDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ReadMail> {
  return auditedTransaction<ReadMail>(deps, caller, origin, async (tx) => {
    const row = await findMail(tx, { organizationId: caller.organizationId, id });
    if (row === null) {
      throw new ApiError(
        "resource_not_found",
        `Message not found: ${id}`,
        {},
        { resource: "mail" },
      );
    }
    if (row.body_sealed === null) {
      const absentBecause = row.status === "withdrawn" ? "withdrawn" : "sent";
      const result = { row, body: null, absentBecause, accessLinks: "none" } as const;
      return { result, audit: "unchanged" };
    }
    const body = openBody(deps.sealingKey, id, row.body_sealed);
    if (!hasAccessLinks(row.kind)) {
      const result = { row, body, absentBecause: null, accessLinks: "none" } as const;
      return { result, audit: "unchanged" };
    }
    const isShown = await canSeeLinks(tx, caller, row.to_address);
    // Otherwise an unlocked screen would be enough to set a new password.
    if (isShown) checkStepUp(caller, deps.nowMs());
    const accessLinks = isShown ? "shown" : "hidden";
    return {
      result: { row, body: isShown ? body : hideLinks(body), absentBecause: null, accessLinks },
      audit: {
        event: "mail.read",
        subject: { type: "mail", id },
        workspaceId: null,
        before: null,
        after: { to: row.to_address, kind: row.kind, access_links: accessLinks },
      },
    };
  });
}

async function canSeeLinks(tx: Tx, caller: Caller, address: string): Promise<boolean> {
  switch (caller.kind) {
    case "local_operator":
      return true;
    case "member":
      return isAddressOf(tx, { memberId: caller.id, address });
    case "admin_key":
    case "api_key":
      return false;
  }
}
