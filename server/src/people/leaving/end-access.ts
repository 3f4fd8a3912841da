import type { Database, Tx } from "#src/db/pool.ts";
import { withdrawMail } from "#src/mail/queue-mail.ts";
import {
  deleteGivenRoles,
  type GivenRole,
  listGivenRoles,
  listPendingInvitesBy,
  revokeInvites,
  type SentInvite,
} from "./end-access.sql.ts";
import { listKeysOfMember, type StoppedKey, stopKeysOfMember } from "./keys-of-member.sql.ts";

/** What ends when a person's access does. Sessions end too; they are not things that somebody looks for later. */
export interface Ending {
  apiKeys: StoppedKey[];
  workspaces: GivenRole[];
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
    workspaces: await listGivenRoles(db, { organizationId, memberIds: [id], onlyIds: null }),
    invites: await listPendingInvitesBy(db, of),
  };
}

/**
 * Ends everything but the sign-in, and gives what that was. Personal keys are archived `for good`; else they stop by
 * themselves, since a key is refused while its owner is not active in its workspace.
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
  await deleteGivenRoles(tx, id);
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
    invites: ending.invites.map(({ id, email }) => ({ id, email })),
  };
}
