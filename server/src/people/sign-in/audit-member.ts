import {
  type AddedEvent,
  type AuditDeps,
  type AuditEntry,
  appendAuditEvent,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";

/** Member that an audit event concerns, or that caused it. */
export interface AuditedMember {
  id: string;
  organizationId: string;
}

export interface MemberEvent {
  member: AuditedMember;
  origin: Origin;
  event: AuditEntry["event"];
  /** Subject of the event. Omitted: the member. */
  subject?: AuditEntry["subject"];
  after?: AuditEntry["after"];
  /** The actor has not proved to be the member. */
  byStranger?: true;
}

export type NoteEvent = (event: MemberEvent) => Promise<void>;

/**
 * Runs one transaction with audit events of a member who is not a caller yet, such as at sign-in or with a link. Use
 * `auditedTransaction` where there is a caller.
 */
export async function signInTransaction<Result>(
  deps: AuditDeps,
  work: (tx: Tx, note: NoteEvent) => Promise<Result>,
): Promise<Result> {
  const added: AddedEvent[] = [];
  const result = await inSignedTransaction(deps, (tx) =>
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
