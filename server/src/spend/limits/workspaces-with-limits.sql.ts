import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

/** Fields of a workspace in the list of limits. */
export interface LimitedWorkspace {
  id: string;
  name: string;
  created_at: Date;
}

export interface LimitedWorkspaceFilter {
  organizationId: string;
  /** One active or archived workspace. Null: all active ones. */
  workspaceId: string | null;
  /** Workspaces whose limits the caller can see. Null: all of the organization. */
  onlyIds: readonly string[] | null;
}

/** Lists newest first, one row more than the page holds. */
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
