import type { Call } from "#src/access/call.ts";
import { getVisibleWorkspace, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import type { Limit, LimitFilter, LimitKind, LimitVisibility, PlaceFilter } from "./limit-kind.ts";

/** Throws a 404 for a limit that the caller cannot see, or of another scope than `scopeTypes`. */
export async function getLimit<Stored extends Limit>(
  kind: LimitKind<Stored>,
  db: Database | Tx,
  caller: Caller,
  of: Pick<LimitFilter, "scopeTypes" | "isOwnOnly"> & { id: string },
): Promise<Stored> {
  const filter = { ...visibilityOf(kind, caller), ...of };
  const [limit] = await kind.list(db, filter, { limit: 1, direction: "older", from: null });
  if (limit === undefined) throw limitNotFound(kind);
  return limit;
}

export interface LimitQuery {
  workspace_id?: string | undefined;
  api_key_id?: string | undefined;
  member_id?: string | undefined;
  group_id?: string | undefined;
  tag_id?: string | undefined;
}

/** Returns a page of the limits that the caller can see. Throws a 404 for a workspace or key that the caller cannot see. */
export async function listLimits<Stored extends Limit, Place>(
  kind: LimitKind<Stored, Place>,
  { database }: { database: Database },
  { caller }: Call,
  {
    query,
    filter,
    request,
  }: {
    query: LimitQuery;
    request: PageRequest;
    filter: Pick<LimitFilter, "scopeTypes" | "isOwnOnly"> & PlaceFilter<Place>;
  },
): Promise<PageOfRows<Stored>> {
  const { workspace_id: workspaceId, api_key_id: apiKeyId } = query;
  const scopeIds = [query.member_id, query.group_id, query.tag_id].filter((id) => id !== undefined);
  const right = `${kind.type}s:read` as const;
  if (workspaceId !== undefined) await getVisibleWorkspace(database, caller, right, workspaceId);
  if (apiKeyId !== undefined) await getWorkspaceIdOfApiKey(database, caller, right, apiKeyId);
  const visible = { ...visibilityOf(kind, caller), ...filter, workspaceId, apiKeyId, scopeIds };
  return toPage(await kind.list(database, visible, request), request);
}

export function visibilityOf(kind: LimitKind<Limit>, caller: Caller): LimitVisibility {
  return {
    organizationId: caller.organizationId,
    onlyWorkspaceIds: listPermittedWorkspaces(caller, `${kind.type}s:read`),
    hasOrganizationLimits: kind.hasOrganizationLimits,
  };
}

export function limitNotFound({ name, type }: LimitKind<Limit>): ApiError {
  return new ApiError("resource_not_found", `${name} not found`, {}, { resource: type });
}
