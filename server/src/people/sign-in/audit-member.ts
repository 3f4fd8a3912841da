import {
  type AddedEvent,
  type AuditDeps,
  type AuditEntry,
  appendAuditEvent,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Origin } from "#src/domain/caller.ts";

/** Who an event is about, or was done by. */
export interface AuditedMember {
  id: string;
  organizationId: string;
}

export interface MemberEvent {
  member: AuditedMember;
  origin: Origin;
  event: AuditEntry["event"];
  /** The member, if omitted. */
  subject?: AuditEntry["subject"];
  after?: AuditEntry["after"];
  /** Somebody who has not proved to be the member. */
  byStranger?: true;
}

export type NoteEvent = (event: MemberEvent) => Promise<void>;

/**
 * One transaction with the events of what a person did who was no caller yet: who signs in, or comes with a link. Where
 * there is a caller, it is `auditedTransaction`.
 */
export async function inNotedTransaction<Result>(
  deps: AuditDeps,
  work: (tx: Tx, note: NoteEvent) => Promise<Result>,
): Promise<Result> {
  const added: AddedEvent[] = [];
  const result = await inTransaction(deps.database, (tx) =>
    work(tx, async (event) => {
      added.push(await appendAuditEvent(tx, deps, toNewEvent(event)));
    }),
  );
  for (const each of added) deps.onAudited(each);
  return result;
}

function toNewEvent(of: MemberEvent) {
  const { member, origin } = of;
  return {
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
  };
}
