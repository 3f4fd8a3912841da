import type { OrganizationRole, WorkspaceRole } from "@bursar/contract/permissions.ts";
import { findActiveMember } from "#src/access/member-lookup.sql.ts";
import type { Sessions } from "#src/access/sessions.ts";
import type { Database } from "#src/db/pool.ts";
import { newId } from "#src/lib/ids.ts";

// People of a test, and sessions for them that are a cookie with the member's id. Roles are read from the real tables at
// each request, as they are for a real session.

export interface NewMember {
  role?: OrganizationRole;
  /** Roles given in workspaces, by workspace id. */
  workspaces?: Record<string, WorkspaceRole>;
  email?: string;
  name?: string;
  /** When the person last proved who it is; now, if omitted. Null: not in this session. */
  steppedUpAtMs?: number | null;
}

export async function insertMember(
  database: Database,
  organizationId: string,
  member: NewMember,
): Promise<{ id: string; email: string }> {
  const id = newId("user_", Date.now());
  const email = member.email ?? `${id.toLowerCase()}@example.com`;
  await database
    .insertInto("member")
    .values({
      id,
      organization_id: organizationId,
      email,
      name: member.name ?? "Ada Lovelace",
      role: member.role ?? "user",
    })
    .execute();
  for (const [workspace_id, role] of Object.entries(member.workspaces ?? {})) {
    await setWorkspaceRole(database, { workspaceId: workspace_id, memberId: id, role });
  }
  return { id, email };
}

/** Gives, changes or (null) takes a role in a workspace, past the API. */
export async function setWorkspaceRole(
  database: Database,
  of: { workspaceId: string; memberId: string; role: WorkspaceRole | null },
): Promise<void> {
  await database
    .deleteFrom("workspace_member")
    .where("workspace_id", "=", of.workspaceId)
    .where("member_id", "=", of.memberId)
    .execute();
  // The one role that is inherited only has no row.
  if (of.role === null || of.role === "workspace_billing") return;
  await database
    .insertInto("workspace_member")
    .values({ workspace_id: of.workspaceId, member_id: of.memberId, role: of.role })
    .execute();
}

const COOKIE = "test_session";
const CONSOLE_HOST = "localhost:8484";

/** What the console sends for this person. */
export function consoleHeaders(memberId: string): Record<string, string> {
  return {
    host: CONSOLE_HOST,
    origin: `http://${CONSOLE_HOST}`,
    cookie: `${COOKIE}=${memberId}`,
    "x-bursar-console": "1",
  };
}

export interface TestSessions extends Sessions {
  /** When the person proved last who it is, or null. */
  stepUp(memberId: string, atMs: number | null): void;
}

export function makeTestSessions(database: Database): TestSessions {
  const steppedUp = new Map<string, number | null>();
  return {
    stepUp: (memberId, atMs) => steppedUp.set(memberId, atMs),
    find: async (cookieHeader) => {
      const [name, id] = cookieHeader.split("=");
      const member = name === COOKIE && id ? await findActiveMember(database, id) : null;
      if (member === null) return null;
      return {
        kind: "member",
        ...member,
        sessionId: `session of ${member.id}`,
        steppedUpAtMs: steppedUp.get(member.id) ?? null,
      };
    },
  };
}
