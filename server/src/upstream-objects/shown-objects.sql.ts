import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import type { ObjectDescription } from "#src/db/object-tables.ts";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { UsageFilter } from "#src/usage/visible-usage.ts";

// Stored objects as the Admin API shows them: of several workspaces, without their content.

export interface ShownObject {
  id: string;
  kind: StoredObjectKind;
  workspace_id: string;
  api_key_id: string;
  upstream_id: string;
  failover: FailoverReason | null;
  created_at: Date;
  expires_at: Date | null;
  /** Null: its upstream has not described it yet. */
  description: ObjectDescription | null;
}

export interface ObjectFilter extends UsageFilter {
  kinds?: readonly StoredObjectKind[] | undefined;
  /** Objects that end before are left out. */
  now: Date;
}

function selectShown(db: Database | Tx, organizationId: string) {
  return db
    .selectFrom("upstream_object")
    .select([
      "id",
      "kind",
      "workspace_id",
      "api_key_id",
      "upstream_id",
      "failover",
      "created_at",
      "expires_at",
      "description",
    ])
    .where("organization_id", "=", organizationId);
}

/** Lists objects that the caller can see, newest first. One more than the page has. */
export function listShownObjects(
  db: Database | Tx,
  filter: ObjectFilter,
  page: PageRequest,
): Promise<ShownObject[]> {
  const { kinds, workspaceIds, apiKeyIds, startMs, endMs } = filter;
  const isVisible = isVisibleUsage(filter.visible);
  let query = selectShown(db, filter.organizationId).where((where) =>
    where.or([where("expires_at", "is", null), where("expires_at", ">", filter.now)]),
  );
  if (kinds) query = query.where("kind", "in", [...kinds]);
  if (isVisible !== null) query = query.where(isVisible.$castTo<boolean>());
  if (workspaceIds) query = query.where("workspace_id", "in", [...workspaceIds]);
  if (apiKeyIds) query = query.where("api_key_id", "in", [...apiKeyIds]);
  if (startMs !== undefined) query = query.where("created_at", ">=", new Date(startMs));
  if (endMs !== undefined) query = query.where("created_at", "<", new Date(endMs));
  return selectPage(query, page).execute();
}

/** Finds objects by an id. Two upstreams can give the same one. */
export function findShownObjects(
  db: Database | Tx,
  { organizationId, id }: { organizationId: string; id: string },
): Promise<ShownObject[]> {
  return selectShown(db, organizationId).where("id", "=", id).orderBy("upstream_id").execute();
}
