import { idPrefixes } from "@bursar/contract/ids.ts";
import { roleNames } from "@bursar/contract/permissions.ts";
import { denied } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { getActiveWorkspaceForChange } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { canGrantKeyPermission, listWorkspaceRoles } from "#src/domain/rights.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import {
  endSession,
  insertSession,
  keepPlaygroundKey,
  limitSessions,
  lockSession,
} from "./playground.sql.ts";

// Who has the playground open calls Claude like a program does, on the one path that counts and limits everything. What
// it calls with is a secret that dies by itself: docs/decisions/0041-playground-sessions.md.

const SESSION_MS = 10 * 60_000;
/** Of a person in a workspace at once: one for each tab, within reason. */
const MAX_SESSIONS = 5;
/** So long a secret that has ended is refused as that, and not as unknown. */
const REMEMBERED_MS = 3_600_000;
const MAX_NAME_LENGTH = 100;

export interface StartedSession {
  id: string;
  workspaceId: string;
  apiKeyId: string;
  secret: string;
  expiresAt: string;
}

/** Throws a 404 for an unknown workspace, a 400 for an archived one, and a 403 for who may not create messages there. */
export function startPlaygroundSession(
  deps: AuditDeps,
  call: Call,
  workspaceId: string,
): Promise<StartedSession> {
  const member = getMemberCaller(call);
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    await getActiveWorkspaceForChange(tx, member, "workspaces:read", workspaceId);
    checkMayCallClaude(member, workspaceId);
    const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
    const id = newId(idPrefixes.playgroundSession, nowMs, deps.randomBytes);
    const createdAt = new Date(nowMs);
    const expiresAt = new Date(nowMs + SESSION_MS);
    const name = await nameOfKey(tx, member);
    const apiKeyId = await keepPlaygroundKey(tx, {
      id: newId(idPrefixes.apiKey, nowMs, deps.randomBytes),
      organizationId: member.organizationId,
      workspaceId,
      memberId: member.id,
      name,
      createdAt,
      expiresAt,
    });
    const authSessionId = member.sessionId;
    await insertSession(tx, { id, apiKeyId, authSessionId, hash, hint, createdAt, expiresAt });
    const forgetBefore = new Date(nowMs - REMEMBERED_MS);
    await limitSessions(tx, { apiKeyId, keep: MAX_SESSIONS, now: createdAt, forgetBefore });
    const expires_at = expiresAt.toISOString();
    return {
      result: { id, workspaceId, apiKeyId, secret, expiresAt: expires_at },
      audit: {
        event: "playground.started",
        subject: { type: "api_key", id: apiKeyId },
        workspaceId,
        before: null,
        after: { session_id: id, name, permission: "write", partial_key_hint: hint, expires_at },
      },
    };
  });
}

/** Ends a session of the person; throws a 404 for anything else. One that has ended stays as it is. */
export function endPlaygroundSession(deps: AuditDeps, call: Call, id: string): Promise<void> {
  const member = getMemberCaller(call);
  const now = new Date(deps.nowMs());
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    const { organizationId, id: memberId } = member;
    const session = await lockSession(tx, { organizationId, memberId, id });
    if (session === null)
      throw new ApiError(
        "resource_not_found",
        "Session of the playground not found",
        {},
        { resource: "playground_session" },
      );
    if (session.expiresAt <= now) return { result: undefined, audit: "unchanged" };
    await endSession(tx, { secretId: session.secretId, now });
    return {
      result: undefined,
      audit: {
        event: "playground.ended",
        subject: { type: "api_key", id: session.apiKeyId },
        workspaceId: session.workspaceId,
        before: { session_id: id, expires_at: session.expiresAt.toISOString() },
        after: { session_id: id, expires_at: now.toISOString() },
      },
    };
  });
}

/** A key of the playground may do what any key with `write` may, so whoever gets one may do all of that. */
function checkMayCallClaude(member: MemberCaller, workspaceId: string): void {
  if (canGrantKeyPermission(member, workspaceId, "write")) return;
  const roles = listWorkspaceRoles(member, workspaceId).map((role) => roleNames[role]);
  throw denied(
    `The playground creates messages as you, which your role in this workspace is not for; you are ${roles.join(" and ")} ` +
      "there. Ask a Workspace Admin.",
  );
}

async function nameOfKey(tx: Tx, { organizationId, id }: MemberCaller): Promise<string> {
  const member = await findMember(tx, { organizationId, id });
  return `Playground of ${member?.name ?? id}`.slice(0, MAX_NAME_LENGTH);
}

function getMemberCaller({ caller }: Call): MemberCaller {
  assert(caller.kind === "member", "only people have routes about themselves");
  return caller;
}
