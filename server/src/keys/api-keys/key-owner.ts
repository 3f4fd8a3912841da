import { denied } from "#src/access/authorize.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findWorkspaceReach } from "#src/domain/rights.ts";
import { findOwnerForKey } from "./key-owner.sql.ts";

/**
 * Whose a new key is: the person that was asked for, or null for the workspace. What is not said is the workspace's, or
 * the caller's own where the caller may make no other. Throws a 403 for another's key where only own ones are the
 * caller's to make, a 404 for a person the organization does not have, and a 400 for one for whom the key could not work.
 */
export async function chooseOwner(
  tx: Tx,
  caller: Caller,
  input: { workspace_id: string; owner_member_id?: string | null | undefined },
): Promise<string | null> {
  const { organizationId } = caller;
  const isBoundToOwn = findWorkspaceReach(caller, "api_keys:write", input.workspace_id) === "own";
  const asked = input.owner_member_id;
  const memberId = asked === undefined && isBoundToOwn ? caller.id : (asked ?? null);
  if (isBoundToOwn && memberId !== caller.id) {
    throw denied(
      "Your role in this workspace is for your own API keys: leave owner_member_id out, or ask a Workspace Admin.",
    );
  }
  if (memberId === null) return null;
  const state = await findOwnerForKey(tx, {
    organizationId,
    memberId,
    workspaceId: input.workspace_id,
  });
  switch (state) {
    case null:
    case "removed":
      throw new ApiError(
        "resource_not_found",
        `Member not found: ${memberId}`,
        {},
        { resource: "member" },
      );
    case "deactivated":
      throw refuseField(
        "owner_member_id",
        "this person is deactivated, so the key would not work.",
      );
    case "outside":
      throw refuseField(
        "owner_member_id",
        "this person has no role in the workspace: add the person there first.",
      );
    case "active":
      return memberId;
  }
}
