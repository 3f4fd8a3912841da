import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  hasOrganizationPermission,
  listPermittedWorkspaces,
  organizationRoleOf,
} from "#src/domain/rights.ts";
import { findVisibleUsage } from "#src/usage/visible-usage.ts";
import {
  countApiKeys,
  countDoubtfulRequests,
  countExpiringKeys,
  countMembers,
  countPendingInvites,
  countRefusalCauses,
  countWorkspaces,
  hasRequests,
} from "./organization-counts.sql.ts";

const DAY_MS = 86_400_000;
const EXPIRING_DAYS = 14;
const DOUBT_DAYS = 30;
const MAX_DOUBTFUL = 1_000;

/** Null: the caller cannot see them. */
export interface OrganizationCounts extends KeyCounts {
  workspaces: number;
  members: number | null;
  pendingInvites: number | null;
  doubtfulRequests: number | null;
  refusalCauses: number | null;
  hasRequests: boolean;
}

interface KeyCounts {
  apiKeys: number | null;
  expiringKeys: number | null;
}

/** Counts what the caller can list, one statement after the other. */
export async function getOrganizationCounts(
  deps: AuditDeps,
  { caller }: Call,
): Promise<OrganizationCounts> {
  const { database } = deps;
  const { organizationId } = caller;
  const nowMs = Math.floor(deps.nowMs());
  const now = new Date(nowMs);
  const workspaceIds = listPermittedWorkspaces(caller, "workspaces:read");
  const since = new Date(nowMs - DOUBT_DAYS * DAY_MS);
  return {
    workspaces: await countWorkspaces(database, { organizationId, workspaceIds }),
    ...(await countKeys(deps, caller, nowMs)),
    members: hasOrganizationPermission(caller, "members:read")
      ? await countMembers(database, organizationId)
      : null,
    pendingInvites: hasOrganizationPermission(caller, "invites:read")
      ? await countPendingInvites(database, { organizationId, now })
      : null,
    doubtfulRequests: hasOrganizationPermission(caller, "spend:resolve")
      ? await countDoubtfulRequests(database, { organizationId, since, limit: MAX_DOUBTFUL })
      : null,
    refusalCauses: await countCauses(deps, caller, nowMs),
    hasRequests: await hasRequests(database, organizationId),
  };
}

async function countKeys(
  { database }: AuditDeps,
  caller: Caller,
  nowMs: number,
): Promise<KeyCounts> {
  const workspaceIds = listPermittedWorkspaces(caller, "api_keys:read");
  if (workspaceIds?.length === 0) return { apiKeys: null, expiringKeys: null };
  const of = { organizationId: caller.organizationId, workspaceIds, now: new Date(nowMs) };
  const until = new Date(nowMs + EXPIRING_DAYS * DAY_MS);
  return {
    apiKeys: await countApiKeys(database, of),
    expiringKeys: await countExpiringKeys(database, { ...of, until }),
  };
}

async function countCauses(
  { database }: AuditDeps,
  caller: Caller,
  nowMs: number,
): Promise<number | null> {
  if (listPermittedWorkspaces(caller, "usage:read")?.length === 0) return null;
  const visible = await findVisibleUsage(database, caller);
  const since = new Date(Math.floor(nowMs / DAY_MS) * DAY_MS);
  const seesUnknownKeys = organizationRoleOf(caller) === "owner";
  const { organizationId } = caller;
  return countRefusalCauses(database, { organizationId, visible, seesUnknownKeys, since });
}
