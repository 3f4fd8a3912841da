import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { auditOfMember } from "#src/people/leaving/deactivate.ts";
import { deleteSession } from "#src/people/sign-in/sessions.sql.ts";
import {
  type LiveSessions,
  listSessionsOf,
  sessionNotFound,
} from "#src/people/sign-in/sessions.ts";
import { getMemberForSignOut } from "./members.ts";

/** Lists the sessions of another member. Throws like `signOutMember`. */
export async function listMemberSessions(
  deps: AuditDeps,
  { caller }: Call,
  memberId: string,
): Promise<LiveSessions> {
  await getMemberForSignOut(deps.database, caller, memberId);
  return listSessionsOf(deps, memberId);
}

/** Ends one session of another member. Throws like `signOutMember`, and a 404 without such a session. */
export function endMemberSession(
  deps: AuditDeps,
  { caller, origin }: Call,
  of: { memberId: string; sessionId: string },
): Promise<void> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await getMemberForSignOut(tx, caller, of.memberId);
    if (!(await deleteSession(tx, of))) throw sessionNotFound();
    const entry = auditOfMember("member.session_ended", row, row);
    return {
      result: undefined,
      audit: { ...entry, after: { ...entry.after, session_id: of.sessionId } },
    };
  });
}
