import type { Call } from "#src/access/call.ts";
import { countFailingChannels } from "#src/alerts/channels/failing-channels.sql.ts";
import { countOpenGroups } from "#src/alerts/firing/open-groups.sql.ts";
import { visibilityOf } from "#src/alerts/rules/alerts.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Caller } from "#src/domain/caller.ts";
import { hasOrganizationPermission, listPermittedWorkspaces } from "#src/domain/rights.ts";
import { countUndecidedReviews } from "#src/reviews/count-undecided.ts";
import { countDecidableRequests } from "#src/spend/increase-requests/count-decidable.sql.ts";
import { countBlockingLimits } from "#src/spend/limits/blocked-scopes.ts";
import { getUpstreamHealth } from "./upstream-health.ts";

/** Null: the caller cannot see them. */
export interface Badges {
  alerts: number | null;
  increaseRequests: number | null;
  accessReviews: number | null;
  blockedLimits: number | null;
  failingChannels: number | null;
  failingUpstreams: number | null;
}

type Count = (deps: AuditDeps, caller: Caller) => Promise<number> | null;

/** Each count is null without the right to its list. */
const counts: Readonly<Record<keyof Badges, Count>> = {
  alerts: ({ database, nowMs }, caller) =>
    hasWorkspaces(caller, "alerts:read")
      ? countOpenGroups(database, visibilityOf(caller), new Date(nowMs()))
      : null,
  increaseRequests: ({ database }, caller) => {
    const workspaceIds = listPermittedWorkspaces(caller, "spend_limits:write");
    if (workspaceIds?.length === 0) return null;
    const { organizationId, kind: type, id } = caller;
    return countDecidableRequests(database, { organizationId, caller: { type, id }, workspaceIds });
  },
  accessReviews: ({ database, nowMs }, caller) =>
    caller.kind === "member" && hasWorkspaces(caller, "workspace_members:write")
      ? countUndecidedReviews(database, caller, new Date(nowMs()))
      : null,
  blockedLimits: ({ database, nowMs }, caller) =>
    hasWorkspaces(caller, "spend_limits:read")
      ? countBlockingLimits(database, caller, nowMs())
      : null,
  failingChannels: ({ database }, caller) =>
    hasWorkspaces(caller, "alerts:read")
      ? countFailingChannels(database, caller.organizationId)
      : null,
  failingUpstreams: (deps, caller) =>
    hasOrganizationPermission(caller, "upstreams:read")
      ? countFailingUpstreams(deps, caller)
      : null,
};

/** Counts one after the other, so that a tab in the background uses one connection. */
export async function getBadges(deps: AuditDeps, { caller }: Call): Promise<Badges> {
  return {
    alerts: await counts.alerts(deps, caller),
    increaseRequests: await counts.increaseRequests(deps, caller),
    accessReviews: await counts.accessReviews(deps, caller),
    blockedLimits: await counts.blockedLimits(deps, caller),
    failingChannels: await counts.failingChannels(deps, caller),
    failingUpstreams: await counts.failingUpstreams(deps, caller),
  };
}

function hasWorkspaces(
  caller: Caller,
  action: Parameters<typeof listPermittedWorkspaces>[1],
): boolean {
  return listPermittedWorkspaces(caller, action)?.length !== 0;
}

/** An organization has one upstream. */
async function countFailingUpstreams(deps: AuditDeps, caller: Caller): Promise<number> {
  const { state } = await getUpstreamHealth(deps, caller.organizationId);
  return state === "failing" ? 1 : 0;
}
