import type { accessFields, accessGrant } from "@bursar/contract/admin/access.ts";
import {
  findInheritedRole,
  type KeyPermission,
  type OrganizationRole,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import {
  type AccessGrant,
  type AccessGrantQuery,
  findAccessGrants,
  positionOfGrant,
} from "./access-grants.ts";
import { isRolePath } from "./access-review.rule.ts";
import { findAccessSearch } from "./access-search.sql.ts";

const DAY_MS = 86_400_000;
const EXPORT_PAGE = 1_000;

export interface AccessQuery {
  paths?: AccessGrantQuery["paths"];
  workspace_id?: string | undefined;
  member_id?: string | undefined;
  search?: string | undefined;
  unused_days?: number | undefined;
}

/** Returns a page of the access list. Throws a 404 for an unknown workspace. */
export async function listAccess(
  deps: AuditDeps,
  call: Call,
  query: AccessQuery,
  page: PageRequest,
): Promise<PageOfRows<AccessGrant>> {
  const filter = await readFilter(deps, call, query);
  const range = { from: page.from, limit: page.limit + 1 };
  return toPage(await findAccessGrants(deps.database, filter, range), page, positionOfGrant);
}

/** Reads the whole list with one page in memory at a time. Throws a 404 before the first page. */
export async function readAccess(
  deps: AuditDeps,
  call: Call,
  query: AccessQuery,
): Promise<AsyncIterable<AccessGrant[]>> {
  return pagesOf(deps, await readFilter(deps, call, query));
}

async function* pagesOf(deps: AuditDeps, filter: AccessGrantQuery): AsyncGenerator<AccessGrant[]> {
  let from = null;
  for (;;) {
    const page: AccessGrant[] = await findAccessGrants(deps.database, filter, {
      from,
      limit: EXPORT_PAGE,
    });
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (page.length < EXPORT_PAGE || last === undefined) return;
    from = positionOfGrant(last);
  }
}

async function readFilter(
  deps: AuditDeps,
  { caller }: Call,
  query: AccessQuery,
): Promise<AccessGrantQuery> {
  const { workspace_id: workspaceId, member_id: memberId, search: text, unused_days: days } = query;
  if (workspaceId !== undefined) {
    await getVisibleWorkspace(deps.database, caller, "workspaces:read", workspaceId);
  }
  const nowMs = deps.nowMs();
  const { organizationId } = caller;
  return {
    organizationId,
    paths: query.paths,
    workspaceId,
    memberId,
    search:
      text === undefined
        ? undefined
        : await findAccessSearch(deps.database, { organizationId, text }),
    unusedSince: days === undefined ? undefined : new Date(nowMs - days * DAY_MS),
    now: new Date(nowMs),
  };
}

export function toAccessGrantWire(grant: AccessGrant): z.input<typeof accessGrant> {
  return { id: grant.row.id, type: "access_grant", ...toAccessWire(grant) };
}

type AccessWire = z.input<z.ZodObject<typeof accessFields>>;

/** Wire form of an access, for the list and for the snapshots of reviews. */
export function toAccessWire({ row, grantedAt, grantedBy }: AccessGrant): AccessWire {
  return {
    path: row.path,
    member:
      row.member_id === null
        ? null
        : { id: row.member_id, name: row.member_name ?? "", email: row.member_email ?? "" },
    workspace:
      row.workspace_id === null ? null : { id: row.workspace_id, name: row.workspace_name ?? "" },
    role: isRolePath(row.path) ? (row.role as OrganizationRole | WorkspaceRole) : null,
    workspace_role: toWorkspaceRole(row),
    group: row.group_id === null ? null : { id: row.group_id, name: row.group_name ?? "" },
    key: toKey(row),
    granted_at: grantedAt.toISOString(),
    granted_by: grantedBy && { ...grantedBy, type: toMakerType(grantedBy.type) },
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
  };
}

/** The API calls a member a `user`. */
function toMakerType(type: string): string {
  return type === "member" ? "user" : type;
}

function toWorkspaceRole({ path, role }: AccessGrant["row"]): WorkspaceRole | null {
  if (path === "workspace_role" || path === "group_role") return role as WorkspaceRole;
  return path === "organization_role" ? findInheritedRole(role as OrganizationRole) : null;
}

function toKey(row: AccessGrant["row"]): AccessWire["key"] {
  const shown = { name: row.key_name ?? "", partial_key_hint: row.key_hint ?? "" };
  if (row.api_key_id !== null) {
    const permission = row.role as KeyPermission;
    return { type: "api_key", id: row.api_key_id, ...shown, permission };
  }
  return row.admin_key_id === null ? null : { type: "admin_key", id: row.admin_key_id, ...shown };
}
