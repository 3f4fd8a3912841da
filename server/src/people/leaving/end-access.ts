import type { Database, Tx } from "#src/db/pool.ts";
import { endLaptops } from "#src/key-lookup/end-laptops.sql.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { withdrawMail } from "#src/mail/queue-mail.ts";
import {
  type AssignedRole,
  deleteAssignedRoles,
  type HeldGroup,
  leaveAllGroups,
  listAssignedRoles,
  listGroupsOfMember,
  listPendingInvites,
  revokeInvites,
  type SentInvite,
} from "./end-access.sql.ts";
import { listKeysOfMember, type StoppedKey, stopKeysOfMember } from "./keys-of-member.sql.ts";
import { refreshLimitsOfMembers } from "./member-limits.ts";

/** Everything that ends with a member's access, except sessions. */
export interface Ending {
  apiKeys: StoppedKey[];
  workspaces: AssignedRole[];
  groups: HeldGroup[];
  invites: SentInvite[];
}

interface EndingOf {
  organizationId: string;
  id: string;
  nowMs: number;
}

export async function findEnding(db: Database | Tx, of: EndingOf): Promise<Ending> {
  const { organizationId, id } = of;
  return {
    apiKeys: await listKeysOfMember(db, { organizationId, memberId: id }),
    workspaces: await listAssignedRoles(db, { organizationId, memberIds: [id], onlyIds: null }),
    groups: await listGroupsOfMember(db, { organizationId, id }),
    invites: await listPendingInvites(db, of),
  };
}

/**
 * Ends all access except the sign-in, and returns what ended. Laptops end in both cases. With `for good`, personal keys are
 * archived. Otherwise they are refused while their owner is not active in the workspace.
 */
export async function endAccess(
  tx: Tx,
  of: EndingOf,
  duration: "for good" | "until reactivated",
): Promise<Ending> {
  const { organizationId, id, nowMs } = of;
  const ending = await findEnding(tx, of);
  if (duration === "for good") {
    await stopKeysOfMember(tx, { organizationId, memberId: id, nowMs });
  }
  await endLaptops(tx, { memberId: id, now: new Date(nowMs), reason: "ended_by_admin" });
  await deleteAssignedRoles(tx, id);
  await leaveAllGroups(tx, id);
  const deps = { nowMs: () => nowMs, randomBytes: systemRandomBytes };
  await refreshLimitsOfMembers(tx, deps, { organizationId, memberIds: [id], rank: null });
  await revokeInvites(tx, { ids: ending.invites.map((invite) => invite.id), nowMs });
  for (const invite of ending.invites) await withdrawMail(tx, invite.id);
  return ending;
}

export function toEndingWire(ending: Ending) {
  return {
    api_keys: ending.apiKeys.map(({ id, name, workspaceId }) => ({
      id,
      name,
      workspace_id: workspaceId,
    })),
    workspaces: ending.workspaces.map((given) => ({
      workspace_id: given.workspace_id,
      name: given.workspace_name,
      workspace_role: given.role,
    })),
    groups: ending.groups.map(({ id, name }) => ({ id, name })),
    invites: ending.invites.map(({ id, email }) => ({ id, email })),
  };
}
