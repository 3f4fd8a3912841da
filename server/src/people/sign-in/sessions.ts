import {
  claudeActions,
  isAccountAction,
  organizationActions,
  selfActions,
  workspaceActions,
} from "@bursar/contract/permissions.ts";
import type { BrowserCall } from "#src/access/call.ts";
import { plainSessionCookie, secureSessionCookie } from "#src/access/session-cookie.ts";
import { type SessionLengths, sessionEndsAtMs, sessionLengthsOf } from "#src/access/sessions.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller, type MemberCaller } from "#src/domain/caller.ts";
import {
  findWorkspaceReach,
  hasOrganizationPermission,
  listPermittedWorkspaces,
  listWorkspaceRoles,
} from "#src/domain/rights.ts";
import { endLaptops } from "#src/key-lookup/end-laptops.sql.ts";
import { endSessions } from "#src/people/identity/people.ts";
import { formatDevice } from "./format-device.rule.ts";
import { listWorkspacesByName } from "./profile.sql.ts";
import {
  deleteSession,
  findSessionHours,
  listLiveSessions,
  type SessionRow,
} from "./sessions.sql.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { auditOfSelf } from "./signed-in.ts";

/** Maximum workspaces in a member's own profile. The list of workspaces has all. */
const MAX_WORKSPACES = 500;
/** Workspace actions, plus Claude API actions for the playground and new keys. */
const inWorkspace = [...workspaceActions, ...claudeActions];

export interface VisibleWorkspaces {
  workspaces: {
    id: string;
    name: string;
    roles: ReturnType<typeof listWorkspaceRoles>;
    permissions: string[];
  }[];
  hasMore: boolean;
}

/** Organization-level permissions of the member. */
export function permissionsOf(member: MemberCaller): string[] {
  if (member.isSecondFactorMissing) return selfActions.filter(isAccountAction);
  const granted = organizationActions.filter((action) => hasOrganizationPermission(member, action));
  return [...granted, ...selfActions];
}

/** Lists the member's active workspaces with the permissions in each. */
export async function listOwnWorkspaces(
  deps: SignInDeps,
  member: MemberCaller,
): Promise<VisibleWorkspaces> {
  const rows = await listWorkspacesByName(deps.database, {
    organizationId: member.organizationId,
    onlyIds: listPermittedWorkspaces(member, "workspaces:read"),
    limit: MAX_WORKSPACES,
  });
  const workspaces = rows.slice(0, MAX_WORKSPACES).map(({ id, name }) => ({
    id,
    name,
    roles: listWorkspaceRoles(member, id),
    permissions: inWorkspace.filter((action) => findWorkspaceReach(member, action, id) !== null),
  }));
  return { workspaces, hasMore: rows.length > MAX_WORKSPACES };
}

/** Ends the current session. */
export function signOut(deps: SignInDeps, call: BrowserCall): Promise<void> {
  const member = getMemberCaller(call);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    await deleteSession(tx, { memberId: member.id, sessionId: member.sessionId });
    clearCookies(call);
    return { result: undefined, audit: auditOfEnd(member, member.sessionId) };
  });
}

/** Sessions that work, last used first, and the lengths that end them. */
export interface LiveSessions {
  rows: SessionRow[];
  lengths: SessionLengths;
}

/** Lists the caller's own sessions. */
export function listSessions(deps: SignInDeps, call: BrowserCall): Promise<LiveSessions> {
  return listSessionsOf(deps, getMemberCaller(call).id);
}

/** Lists the sessions of any member. */
export async function listSessionsOf(
  deps: Pick<SignInDeps, "database" | "nowMs">,
  memberId: string,
): Promise<LiveSessions> {
  const nowMs = deps.nowMs();
  const lengths = sessionLengthsOf(await findSessionHours(deps.database, memberId));
  const rows = await listLiveSessions(deps.database, {
    memberId,
    startedAfter: new Date(nowMs - lengths.longestMs),
    usedAfter: new Date(nowMs - lengths.idleMs),
  });
  return { rows, lengths };
}

/** Response shape of sessions. `currentId`: the caller's own session, or null. */
export function toSessionsWire({ rows, lengths }: LiveSessions, currentId: string | null) {
  return rows.map((row) => ({
    id: row.id,
    type: "session" as const,
    is_current: row.id === currentId,
    device: formatDevice(row.user_agent),
    ip_address: row.ip_address,
    started_at: row.started_at.toISOString(),
    last_used_at: row.last_used_at.toISOString(),
    expires_at: new Date(sessionEndsAtMs(row, lengths)).toISOString(),
  }));
}

/** Ends one of the member's own sessions. Throws a 404 for any other id. */
export function endSession(deps: SignInDeps, call: BrowserCall, sessionId: string): Promise<void> {
  const member = getMemberCaller(call);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    if (!(await deleteSession(tx, { memberId: member.id, sessionId }))) {
      throw sessionNotFound();
    }
    if (sessionId === member.sessionId) clearCookies(call);
    return { result: undefined, audit: auditOfEnd(member, sessionId) };
  });
}

export function sessionNotFound(): ApiError {
  return new ApiError("resource_not_found", "Session not found", {}, { resource: "session" });
}

/** Ends all of the member's own sessions, or all but the current one, and all laptops. Returns the number of sessions. */
export function signOutEverywhere(
  deps: SignInDeps,
  call: BrowserCall,
  isCurrentExcluded: boolean,
): Promise<number> {
  const member = getMemberCaller(call);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    const ended = await endSessions(tx, member.id, isCurrentExcluded ? member.sessionId : null);
    if (!isCurrentExcluded) clearCookies(call);
    const now = new Date(deps.nowMs());
    const laptops = await endLaptops(tx, { memberId: member.id, now, reason: "signed_out" });
    const after = { ended, ended_laptops: laptops, kept_current: isCurrentExcluded };
    return { result: ended, audit: auditOfSelf(member, "session.all_ended", { after }) };
  });
}

/** Deletes the cookies of the ended session, so that the browser stops sending them. */
function clearCookies({ browser }: BrowserCall): void {
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
