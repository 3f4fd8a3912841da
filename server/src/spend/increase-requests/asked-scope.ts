import type { WireScope } from "@bursar/contract/scope.ts";
import { denied } from "#src/access/authorize.ts";
import { isApiKeyArchivedForChange } from "#src/access/limited-scope.sql.ts";
import type { LockedScope } from "#src/access/limited-scope.ts";
import { isOwnApiKey } from "#src/access/own-api-key.ts";
import { findApiKeyPlace } from "#src/access/visible-workspace.sql.ts";
import {
  apiKeyNotFound,
  getActiveWorkspaceForChange,
  refuseArchivedKey,
} from "#src/access/visible-workspace.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  findOrganizationReach,
  findWorkspaceReach,
  listPermittedWorkspaces,
} from "#src/domain/rights.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";

/**
 * What the caller asks about, locked until the transaction ends: the organization for everybody who is in a workspace, a
 * workspace for who is in it, a key for who sees it, and for itself. Throws a 404 for what does not exist for the caller,
 * a 403 where it may not ask, and a 400 for what is archived.
 */
export async function lockAskedScope(
  tx: Tx,
  caller: Caller,
  scope: WireScope,
): Promise<LockedScope> {
  switch (scope.type) {
    case "organization":
      checkMayAskForAll(caller);
      return { scopeType: "organization", scopeId: caller.organizationId, workspaceId: null };
    case "workspace": {
      const { id } = await getActiveWorkspaceForChange(
        tx,
        caller,
        "spend_limits:request",
        scope.workspace_id,
      );
      return { scopeType: "workspace", scopeId: id, workspaceId: id };
    }
    case "api_key":
      return lockAskedKey(tx, caller, scope.api_key_id);
  }
}

async function lockAskedKey(tx: Tx, caller: Caller, apiKeyId: string): Promise<LockedScope> {
  const { organizationId } = caller;
  const key = await findApiKeyPlace(tx, { organizationId, apiKeyId });
  const sees =
    key !== null &&
    (findWorkspaceReach(caller, "api_keys:read", key.workspace_id) !== null ||
      isOwnApiKey(caller, key) ||
      (caller.kind === "api_key" && caller.id === apiKeyId));
  if (!sees) throw apiKeyNotFound();
  const { workspace_id: workspaceId } = key;
  // The workspace first, as archiving it does.
  await getActiveWorkspaceForChange(tx, caller, "spend_limits:request", workspaceId);
  if (await isApiKeyArchivedForChange(tx, { organizationId, apiKeyId })) throw refuseArchivedKey();
  return { scopeType: "api_key", scopeId: apiKeyId, workspaceId };
}

function checkMayAskForAll(caller: Caller): void {
  if (caller.kind === "api_key") {
    throw denied(
      "An API key can ask for a higher limit of itself or of its workspace; for the organization's, a person or an admin key asks.",
    );
  }
  const where = listPermittedWorkspaces(caller, "spend_limits:request");
  if (where === null || where.length > 0) return;
  throw denied("You are in no workspace. Ask an owner or admin of the organization to add you.");
}

type About = Pick<IncreaseRequestRow, "scopeType" | "workspaceId">;

/** True where the caller could set the limit itself. */
export function mayDecide(caller: Caller, about: About): boolean {
  return about.workspaceId === null
    ? findOrganizationReach(caller, "spend_limits:write") !== null
    : findWorkspaceReach(caller, "spend_limits:write", about.workspaceId) !== null;
}

/** True where the caller may see what is spent there; the limit alone is seen by everybody whom it can refuse. */
export function seesSpend(caller: Caller, about: About): boolean {
  return about.workspaceId === null
    ? findOrganizationReach(caller, "spend_limits:read") !== null
    : findWorkspaceReach(caller, "spend_limits:read", about.workspaceId) !== null;
}

/** False for who has left the workspace since: what happens there is not that caller's any more. */
export function seesLimit(caller: Caller, about: About): boolean {
  return (
    about.workspaceId === null ||
    findWorkspaceReach(caller, "spend_limits:request", about.workspaceId) !== null
  );
}
