import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

/** A workspace as far as the list of limits shows it. */
export interface LimitedWorkspace {
  id: string;
  name: string;
  created_at: Date;
}

export interface LimitedWorkspaceFilter {
  organizationId: string;
  /** One workspace, archived or not; null for all active ones. */
  workspaceId: string | null;
  /** Those whose limits exist for the caller; null for all of the organization's. */
  onlyIds: readonly string[] | null;
}

/** One row more than the page holds. */
export function listLimitedWorkspaces(
  db: Database | Tx,
  filter: LimitedWorkspaceFilter,
  page: PageRequest,
): Promise<LimitedWorkspace[]> {
  let query = db
    .selectFrom("workspace")
    .select(["id", "name", "created_at"])
    .where("organization_id", "=", filter.organizationId);
  query =
    filter.workspaceId === null
      ? query.where("archived_at", "is", null)
      : query.where("id", "=", filter.workspaceId);
  const { onlyIds } = filter;
  if (onlyIds !== null) query = query.where("id", "in", onlyIds.length > 0 ? onlyIds : [""]);
  return selectPage(query, page).execute();
}
