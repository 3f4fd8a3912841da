import {
  claudeActions,
  organizationActions,
  selfActions,
  workspaceActions,
} from "@bursar/contract/permissions.ts";
import type { BrowserCall } from "#src/access/call.ts";
import { plainSessionCookie, secureSessionCookie } from "#src/access/session-cookie.ts";
import { SESSION_IDLE_MS, SESSION_MS } from "#src/access/sessions.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { mayInOrganization, reachIn, rolesIn, workspacesWhere } from "#src/domain/rights.ts";
import { endSessions } from "#src/people/identity/people.ts";
import { listWorkspacesByName } from "./profile.sql.ts";
import { deleteSession, listLiveSessions, type SessionRow } from "./sessions.sql.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { auditOfSelf, memberOf } from "./signed-in.ts";

/** So many workspaces stand in the answer about oneself; the list of workspaces has them all. */
const MAX_WORKSPACES = 500;
/** Those of the Claude API are the person's in the playground, and for the keys that it may make. */
const inWorkspace = [...workspaceActions, ...claudeActions];

export interface VisibleWorkspaces {
  workspaces: {
    id: string;
    name: string;
    roles: ReturnType<typeof rolesIn>;
    permissions: string[];
  }[];
  hasMore: boolean;
}

/** What the person may do about the organization as a whole. */
export function permissionsOf(member: MemberCaller): string[] {
  const granted = organizationActions.filter((action) => mayInOrganization(member, action));
  return [...granted, ...selfActions];
}

/** Active workspaces that exist for the person, with what it may do in each. */
export async function listOwnWorkspaces(
  deps: SignInDeps,
  member: MemberCaller,
): Promise<VisibleWorkspaces> {
  const rows = await listWorkspacesByName(deps.database, {
    organizationId: member.organizationId,
    onlyIds: workspacesWhere(member, "workspaces:read"),
    limit: MAX_WORKSPACES,
  });
  const workspaces = rows.slice(0, MAX_WORKSPACES).map(({ id, name }) => ({
    id,
    name,
    roles: rolesIn(member, id),
    permissions: inWorkspace.filter((action) => reachIn(member, action, id) !== null),
  }));
  return { workspaces, hasMore: rows.length > MAX_WORKSPACES };
}

/** Ends the session that asks. */
export function signOut(deps: SignInDeps, call: BrowserCall): Promise<void> {
  const member = memberOf(call);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    await deleteSession(tx, { memberId: member.id, sessionId: member.sessionId });
    forgetCookies(call);
    return { result: undefined, audit: auditOfEnd(member, member.sessionId) };
  });
}

export function listSessions(deps: SignInDeps, call: BrowserCall): Promise<SessionRow[]> {
  const nowMs = deps.nowMs();
  return listLiveSessions(deps.database, {
    memberId: memberOf(call).id,
    startedAfter: new Date(nowMs - SESSION_MS),
    usedAfter: new Date(nowMs - SESSION_IDLE_MS),
  });
}

/** Ends one of the person's own sessions; throws a 404 for anything else. */
export function endSession(deps: SignInDeps, call: BrowserCall, sessionId: string): Promise<void> {
  const member = memberOf(call);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    if (!(await deleteSession(tx, { memberId: member.id, sessionId }))) {
      throw new ApiError("resource_not_found", "Session not found", {}, { resource: "session" });
    }
    if (sessionId === member.sessionId) forgetCookies(call);
    return { result: undefined, audit: auditOfEnd(member, sessionId) };
  });
}

/** Ends all of the person's own sessions, or all but the one that asks; gives how many. */
export function signOutEverywhere(
  deps: SignInDeps,
  call: BrowserCall,
  keepsCurrent: boolean,
): Promise<number> {
  const member = memberOf(call);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    const ended = await endSessions(tx, member.id, keepsCurrent ? member.sessionId : null);
    if (!keepsCurrent) forgetCookies(call);
    const after = { ended, kept_current: keepsCurrent };
    return { result: ended, audit: auditOfSelf(member, "session.all_ended", { after }) };
  });
}

/** The session is gone; without its cookie the browser does not ask in vain. */
function forgetCookies({ browser }: BrowserCall): void {
  const ended = "Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
  const isSent = (name: string) => browser.cookies.includes(`${name}=`);
  const lines: string[] = [];
  if (isSent(secureSessionCookie)) lines.push(`${secureSessionCookie}=; ${ended}; Secure`);
  if (isSent(plainSessionCookie)) lines.push(`${plainSessionCookie}=; ${ended}`);
  browser.setCookies(lines);
}

function auditOfEnd(member: MemberCaller, sessionId: string) {
  return auditOfSelf(member, "session.ended", { subject: { type: "session", id: sessionId } });
}
