import type { KeyPermission } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { OwnerState } from "#src/domain/owner-state.ts";

// What a personal key has of its owner, in a statement that calls the key `api_key` and, joined from the left, its owner
// `member`. It is read anew each time and never stored: nothing that is done to a person can forget its keys.

const isInWorkspace = (roles: ReturnType<typeof sql>) => sql<boolean>`(
  member.role IN ('owner', 'admin') OR EXISTS (
    SELECT 1 FROM workspace_member
    WHERE workspace_member.workspace_id = api_key.workspace_id
      AND workspace_member.member_id = member.id AND ${roles}
  ))`;

/** The `OwnerState`, or null where the workspace owns the key. */
export const ownerState = sql<OwnerState | null>`
  CASE
    WHEN api_key.owner_member_id IS NULL THEN NULL
    WHEN member.status IN ('deactivated', 'removed') THEN member.status
    WHEN ${isInWorkspace(sql`true`)} THEN 'active'
    ELSE 'outside'
  END`;

/** The key's permission; a person who administers the workspace no more has no key that does. */
export const permissionUnderOwner = sql<KeyPermission>`
  CASE
    WHEN api_key.permission = 'admin' AND api_key.owner_member_id IS NOT NULL
      AND NOT ${isInWorkspace(sql`workspace_member.role = 'workspace_admin'`)} THEN 'write'
    ELSE api_key.permission
  END`;
