import { findInheritedRole, organizationRoles } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Position } from "#src/domain/page-position.ts";
import {
  type AccessGrantFilter,
  type AccessGrantRow,
  findNames,
  listAccessGrants,
  listRoleAssignments,
  positionOfRow,
} from "./access-grants.sql.ts";

// Access of members and keys, with its path. The access list shows it, and access reviews start from it.

/** Source of an access. The name is null if it is unknown or the source has none. */
export interface AccessGranter {
  type: string;
  id: string;
  name: string | null;
}

export interface AccessGrant {
  row: AccessGrantRow;
  grantedAt: Date;
  /** Null: unknown. */
  grantedBy: AccessGranter | null;
}

export type AccessGrantQuery = Omit<AccessGrantFilter, "reachingRoles">;

const reachingRoles = organizationRoles.filter((role) => findInheritedRole(role) !== null);

/** Lists up to `limit` grants after `from`, newest first. */
export async function findAccessGrants(
  db: Database | Tx,
  query: AccessGrantQuery,
  page: { from: Position | null; limit: number },
): Promise<AccessGrant[]> {
  const rows = await listAccessGrants(db, { ...query, reachingRoles }, page);
  return describe(db, query.organizationId, rows);
}

export function positionOfGrant({ row }: AccessGrant): Position {
  return positionOfRow(row);
}

async function describe(
  db: Database | Tx,
  organizationId: string,
  rows: readonly AccessGrantRow[],
): Promise<AccessGrant[]> {
  const roles = rows.flatMap((row) => {
    if (row.maker_id !== null || row.member_id === null) return [];
    // A membership of a group counts for all workspaces of the group.
    const workspaceId = row.group_id === null ? row.workspace_id : null;
    const place = { memberId: row.member_id, workspaceId, groupId: row.group_id };
    return [{ id: row.id, place }];
  });
  const places = roles.map(({ place }) => place);
  const givings = await listRoleAssignments(db, { organizationId, places });
  const newest = new Map(givings.map((giving) => [roles[giving.place]?.id, giving]));
  const grants = rows.map((row) => {
    const giving = newest.get(row.id);
    const given = giving ?? row;
    const grantedAt = giving && giving.given_at > row.granted_at ? giving.given_at : row.granted_at;
    return { row, grantedAt, makerType: given.maker_type, makerId: given.maker_id };
  });
  const makerIds = new Set(grants.map(({ makerId }) => makerId).filter((id) => id !== null));
  const names = await findNames(db, { organizationId, ids: [...makerIds] });
  return grants.map(({ row, grantedAt, makerType, makerId }) => ({
    row,
    grantedAt,
    grantedBy:
      makerType === null || makerId === null
        ? null
        : { type: makerType, id: makerId, name: names.get(makerId) ?? null },
  }));
}
