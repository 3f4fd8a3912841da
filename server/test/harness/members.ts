import type { OrganizationRole, WorkspaceRole } from "@bursar/contract/permissions.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { loadAuth } from "#src/people/identity/auth.ts";
import type { AuthDeps } from "#src/people/identity/auth-settings.ts";
import { hashNewPassword } from "#src/people/identity/hash-password.ts";
import { createPerson, startSession } from "#src/people/identity/people.ts";
import { siteOf } from "#src/people/identity/site.ts";
import { inSignedTransaction, type SigningDeps } from "#src/signed-rows/signed-transaction.ts";

// Members of a test, and their real sessions.

export interface NewMember {
  role?: OrganizationRole;
  /** Roles in workspaces, by workspace id. */
  workspaces?: Record<string, WorkspaceRole>;
  email?: string;
  name?: string;
  /** Time of the last step-up. Default: now. Null: none in this session. */
  steppedUpAtMs?: number | null;
}

let lastMadeMs = 0;

export async function insertMember(
  deps: SigningDeps,
  organizationId: string,
  member: NewMember,
): Promise<{ id: string; email: string; name: string }> {
  // Each member has its own millisecond, so that lists have one order.
  lastMadeMs = Math.max(lastMadeMs + 1, Date.now());
  const id = newId("user_", lastMadeMs);
  const email = member.email ?? `${id.toLowerCase()}@example.com`;
  const name = member.name ?? "Ada Lovelace";
  await inSignedTransaction(deps, (tx) =>
    tx
      .insertInto("member")
      .values({
        id,
        organization_id: organizationId,
        email,
        name,
        role: member.role ?? "user",
        created_at: new Date(lastMadeMs),
      })
      .execute(),
  );
  for (const [workspace_id, role] of Object.entries(member.workspaces ?? {})) {
    await setWorkspaceRole(deps, { workspaceId: workspace_id, memberId: id, role });
  }
  return { id, email, name };
}

/** Sets or (null) removes a role in a workspace, without the API. */
export async function setWorkspaceRole(
  deps: SigningDeps,
  of: { workspaceId: string; memberId: string; role: WorkspaceRole | null },
): Promise<void> {
  await inSignedTransaction(deps, async (tx) => {
    await tx
      .deleteFrom("workspace_member")
      .where("workspace_id", "=", of.workspaceId)
      .where("member_id", "=", of.memberId)
      .execute();
    // This role is only inherited and never has a row.
    if (of.role === null || of.role === "workspace_billing") return;
    await tx
      .insertInto("workspace_member")
      .values({ workspace_id: of.workspaceId, member_id: of.memberId, role: of.role })
      .execute();
  });
}

/** Password of every member of a test. */
export const MEMBER_PASSWORD = "correct horse battery staple";
/** scrypt's N of a server in the test process: 0.1 ms instead of 300 ms for each hash. */
export const TEST_PASSWORD_COST = 2;
let passwordHash: Promise<string> | undefined;

export const CONSOLE_ORIGIN = "http://localhost:8484";

/**
 * Headers of the console. Without a cookie they are those of a sign-in. Browsers send the origin with changes, and
 * not with a GET of the same origin.
 */
export function consoleHeaders(
  cookie?: string,
  origin: string = CONSOLE_ORIGIN,
  isChange = true,
): Record<string, string> {
  return {
    host: new URL(origin).host,
    "x-bursar-console": "1",
    ...(isChange && { origin }),
    ...(cookie !== undefined && { cookie }),
  };
}

/** Sets the member's password to `MEMBER_PASSWORD` and signs in. Returns the session's cookie. */
export async function signInMember(
  deps: AuthDeps & SigningDeps,
  member: { id: string; steppedUpAtMs: number | null },
): Promise<string> {
  const person = { email: "", name: "", organizationName: "", minLength: 12 };
  passwordHash ??= hashNewPassword(MEMBER_PASSWORD, person, TEST_PASSWORD_COST);
  const hash = await passwordHash;
  const site = siteOf(CONSOLE_ORIGIN);
  assert(site, "the console's origin is not cross-site");
  const { id: memberId, steppedUpAtMs } = member;
  await loadAuth();
  return inSignedTransaction(deps, async (tx) => {
    await createPerson(tx, deps, { memberId, passwordHash: hash });
    const origin = { requestId: "req_test", ipAddress: null, userAgent: null };
    const { sessionId, cookies } = await startSession(deps, { tx, site, origin, memberId });
    await tx
      .updateTable("auth_session")
      .set({ stepped_up_at: steppedUpAtMs === null ? null : new Date(steppedUpAtMs) })
      .where("id", "=", sessionId)
      .execute();
    return cookies[0]?.split(";", 1)[0] ?? "";
  });
}
