import { findReach, type KeyPermission, workspaceRoles } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { OwnerState } from "#src/domain/owner-state.ts";

// State of a personal key's owner, in a statement with the key as `api_key` and its owner, left-joined, as `member`. The
// state is read each time and never stored, so every change of a member applies to its keys.

const isInWorkspace = (roles: ReturnType<typeof sql>) => sql<boolean>`(
  member.role IN ('owner', 'admin') OR EXISTS (
    SELECT 1 FROM given_workspace_role AS given
    WHERE given.workspace_id = api_key.workspace_id AND given.member_id = member.id AND ${roles}
  ))`;

/** The `OwnerState`, or null if the workspace owns the key. */
export const ownerState = sql<OwnerState | null>`
  CASE
    WHEN api_key.owner_member_id IS NULL THEN NULL
    WHEN member.status IN ('deactivated', 'removed') THEN member.status
    WHEN ${isInWorkspace(sql`true`)} THEN 'active'
    ELSE 'outside'
  END`;

/**
 * True unless the owner is not active. PostgreSQL expects this of most keys, so a list of the newest keys reads an index.
 * A comparison with one state would be expected of few keys.
 */
export const isUnstoppedByOwner = sql<boolean>`((${ownerState} IN ('deactivated', 'removed', 'outside')) IS NOT TRUE)`;

/** Permission of the key. Without admin if the owner no longer administers the workspace. */
export const permissionUnderOwner = sql<KeyPermission>`
  CASE
    WHEN api_key.permission = 'admin' AND api_key.owner_member_id IS NOT NULL
      AND NOT ${isInWorkspace(sql`given.role = 'workspace_admin'`)} THEN 'write'
    ELSE api_key.permission
  END`;

const rolesOfAllUsage = workspaceRoles
  .filter((role) => findReach(role, "usage:read") === "all")
  .map((role) => sql.lit(role));

/** True if the key has an owner whose role sees only their own usage in the workspace. */
export const seesOwnUsageOnly = sql<boolean>`(
  api_key.owner_member_id IS NOT NULL
  AND NOT ${isInWorkspace(sql`given.role IN (${sql.join(rolesOfAllUsage)})`)})`;
