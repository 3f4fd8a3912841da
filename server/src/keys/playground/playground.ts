import { idPrefixes } from "@bursar/contract/ids.ts";
import { roleNames } from "@bursar/contract/permissions.ts";
import { denied } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { getActiveWorkspaceForChange } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller, type MemberCaller } from "#src/domain/caller.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { canGrantKeyPermission, listWorkspaceRoles } from "#src/domain/rights.ts";
import { copyLimits } from "#src/keys/api-keys/copy-limits.ts";
import { inheritRestrictions } from "#src/keys/api-keys/inherit-restrictions.ts";
import { putInForce } from "#src/keys/api-keys/ranked-restrictions.ts";
import { newId } from "#src/lib/ids.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import {
  endSession,
  insertSession,
  limitSessions,
  lockSession,
  savePlaygroundKey,
} from "./playground.sql.ts";

// The playground calls Claude through the gateway like any program, with a temporary secret. So all rates and limits apply.
// docs/decisions/0041-playground-sessions.md has the reasons.

const SESSION_MS = 10 * 60_000;
/** Concurrent sessions of a member in a workspace: one for each browser tab. */
const MAX_SESSIONS = 5;
/** Time in which an ended secret is refused as ended. After that it is unknown. */
const ENDED_RETENTION_MS = 3_600_000;
const MAX_NAME_LENGTH = 100;

export interface StartedSession {
  id: string;
  workspaceId: string;
  apiKeyId: string;
  secret: string;
  expiresAt: string;
}

/**
 * Starts a session with the restrictions that higher ranks have set on the member's keys in the workspace. Throws a 404 for an
 * unknown workspace, and a 400 for an archived one. Throws a 403 without permission to create messages, and while a higher
 * rank has disabled a key of the member.
 */
export function startPlaygroundSession(
  deps: AuditDeps,
  call: Call,
  workspaceId: string,
): Promise<StartedSession> {
  const member = getMemberCaller(call);
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    await getActiveWorkspaceForChange(tx, member, "workspaces:read", workspaceId);
    checkCanCreateMessages(member, workspaceId);
    const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
    const id = newId(idPrefixes.playgroundSession, nowMs, deps.randomBytes);
    const createdAt = new Date(nowMs);
    const expiresAt = new Date(nowMs + SESSION_MS);
    const name = await createKeyName(tx, member);
    const place = { workspaceId, memberId: member.id };
    const inherited = await inheritRestrictions(tx, member, place, createdAt);
    const limits = putInForce(
      { status: "active", is_held: false, lifetime_ends_at: expiresAt },
      inherited.restrictions,
    );
    const apiKeyId = await savePlaygroundKey(tx, {
      id: newId(idPrefixes.apiKey, nowMs, deps.randomBytes),
      organizationId: member.organizationId,
      workspaceId,
      memberId: member.id,
      name,
      createdAt,
      expiresAt,
      allowedModels: limits.allowed_models,
      allowedAddresses: limits.allowed_addresses,
    });
    const authSessionId = member.sessionId;
    await insertSession(tx, { id, apiKeyId, authSessionId, hash, hint, createdAt, expiresAt });
    const deleteBefore = new Date(nowMs - ENDED_RETENTION_MS);
    const maxSessions = MAX_SESSIONS;
    await limitSessions(tx, { apiKeyId, maxSessions, now: createdAt, deleteBefore });
    const expires_at = expiresAt.toISOString();
    const { organizationId } = member;
    const key = { organizationId, workspaceId, id: apiKeyId };
    const copied = await copyLimits(tx, deps, key, inherited.limits);
    return {
      result: { id, workspaceId, apiKeyId, secret, expiresAt: expires_at },
      audit: [
        {
          event: "playground.started",
          subject: { type: "api_key", id: apiKeyId },
          workspaceId,
          before: null,
          after: { session_id: id, name, permission: "write", partial_key_hint: hint, expires_at },
        },
        ...copied,
      ],
    };
  });
}

/** Ends a session of the member. An ended session stays unchanged. Throws a 404 for an unknown session. */
export function endPlaygroundSession(deps: AuditDeps, call: Call, id: string): Promise<void> {
  const member = getMemberCaller(call);
  const now = new Date(deps.nowMs());
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    const { organizationId, id: memberId } = member;
    const session = await lockSession(tx, { organizationId, memberId, id });
    if (session === null)
      throw new ApiError(
        "resource_not_found",
        "Playground session not found",
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

/** Throws a 403 unless the member can create keys with `write`, because a playground key has that permission. */
function checkCanCreateMessages(member: MemberCaller, workspaceId: string): void {
  if (canGrantKeyPermission(member, workspaceId, "write")) return;
  const roles = listWorkspaceRoles(member, workspaceId).map((role) => roleNames[role]);
  throw denied(
    "The playground creates messages as you, and your role in this workspace does not allow that: you are " +
      `${roles.join(" and ")} there. Ask a Workspace Admin.`,
  );
}

async function createKeyName(tx: Tx, { organizationId, id }: MemberCaller): Promise<string> {
  const member = await findMember(tx, { organizationId, id });
  return `Playground of ${member?.name ?? id}`.slice(0, MAX_NAME_LENGTH);
}
