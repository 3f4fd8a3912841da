import { denied } from "#src/access/authorize.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findWorkspaceReach } from "#src/domain/rights.ts";
import { findOwnerForKey } from "./key-owner.sql.ts";

/**
 * Returns the member that owns a new key, or null for the workspace. The default is the workspace, and the caller for
 * callers that can create only their own keys. Throws a 403 when such a caller names another owner, and a 404 for an
 * unknown member. Throws a 400 for a member who is deactivated or has no role in the workspace.
 */
export async function chooseOwner(
  tx: Tx,
  caller: Caller,
  input: { workspace_id: string; owner_member_id?: string | null | undefined },
): Promise<string | null> {
  const { organizationId } = caller;
  const isBoundToOwn = findWorkspaceReach(caller, "api_keys:write", input.workspace_id) === "own";
  const requestedId = input.owner_member_id;
  const memberId = requestedId === undefined && isBoundToOwn ? caller.id : (requestedId ?? null);
  if (isBoundToOwn && memberId !== caller.id) {
    throw denied(
      "Your role in this workspace allows only your own API keys: omit owner_member_id, or ask a Workspace Admin.",
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
        "this member is deactivated, so the key would not work.",
      );
    case "outside":
      throw refuseField(
        "owner_member_id",
        "this member has no role in the workspace: add the member there first.",
      );
    case "active":
      return memberId;
  }
}
