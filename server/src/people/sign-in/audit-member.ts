import {
  type AddedEvent,
  type AuditDeps,
  type AuditEntry,
  appendAuditEvent,
  findScopes,
} from "#src/audit/audited-transaction.ts";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import { loadAuth } from "#src/people/identity/auth.ts";
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
  before?: AuditEntry["before"];
  after?: AuditEntry["after"];
  /** The actor has not proved to be the member. */
  byStranger?: true;
  /** Actor. Omitted: the member or a stranger. */
  actor?: { type: string; id: string };
  /** Nodes drop the cached keys of the event's subject. */
  affectsKeys?: true;
}

export type NoteEvent = (event: MemberEvent) => Promise<void>;

/**
 * Runs one transaction with audit events of a member who is not a caller yet, such as at sign-in or with a link. Use
 * `auditedTransaction` where there is a caller. The events are added last, because they lock the end of the log.
 */
export async function signInTransaction<Result>(
  deps: AuditDeps,
  work: (tx: Tx, note: NoteEvent) => Promise<Result>,
): Promise<Result> {
  await loadAuth();
  const added: AddedEvent[] = [];
  const result = await inSignedTransaction(deps, async (tx) => {
    const events: MemberEvent[] = [];
    const result = await work(tx, async (event) => {
      events.push(event);
    });
    for (const event of events) {
      added.push(await appendAuditEvent(tx, deps, toNewEvent(event)));
    }
    const entries = events.filter(({ affectsKeys }) => affectsKeys).map(toEntry);
    if (entries.length > 0) await bumpChangeCounter(tx, findScopes(entries));
    return result;
  });
  for (const each of added) deps.onAudited(each);
  return result;
}

function toNewEvent(of: MemberEvent) {
  const { member, origin } = of;
  const person = of.byStranger
    ? { type: "stranger", id: origin.ipAddress ?? "unknown" }
    : { type: "member", id: member.id };
  return {
    entry: toEntry(of),
    organizationId: member.organizationId,
    actor: of.actor ?? person,
    origin,
  };
}

function toEntry({ member, event, subject, before = null, after = null }: MemberEvent): AuditEntry {
  return {
    event,
    subject: subject ?? { type: "member", id: member.id },
    workspaceId: null,
    before,
    after,
  };
}
