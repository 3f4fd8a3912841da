import {
  type AuditDeps,
  type AuditEntry,
  appendAuditEvent,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";

/** Who an event is about, or was done by. */
export interface AuditedMember {
  id: string;
  organizationId: string;
}

/** The event of what a person did who was no caller yet: signing in, a link of a message. */
export async function auditMember(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes" | "auditKey">,
  of: {
    member: AuditedMember;
    origin: Origin;
    event: AuditEntry["event"];
    subject?: AuditEntry["subject"];
    after?: AuditEntry["after"];
    /** Somebody who has not proved to be the member. */
    byStranger?: true;
  },
): Promise<void> {
  const { member, origin } = of;
  await appendAuditEvent(tx, deps, {
    entry: {
      event: of.event,
      subject: of.subject ?? { type: "member", id: member.id },
      workspaceId: null,
      before: null,
      after: of.after ?? null,
    },
    organizationId: member.organizationId,
    actor: of.byStranger
      ? { type: "stranger", id: origin.ipAddress ?? "unknown" }
      : { type: "member", id: member.id },
    origin,
  });
}
