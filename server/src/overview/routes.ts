import type { overviewRoutes } from "@bursar/contract/admin/overview.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { getBadges } from "./badges.ts";
import { getOrganizationCounts } from "./organization-counts.ts";
import { getUpstreamHealth } from "./upstream-health.ts";

export function makeOverviewHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof overviewRoutes)[number], Call> {
  return {
    getBadges: async (call) => {
      const badges = await getBadges(deps, call);
      return {
        type: "badges",
        alerts: badges.alerts,
        increase_requests: badges.increaseRequests,
        access_reviews: badges.accessReviews,
        blocked_limits: badges.blockedLimits,
        failing_channels: badges.failingChannels,
        failing_upstreams: badges.failingUpstreams,
      };
    },
    getOrganizationCounts: async (call) => {
      const counts = await getOrganizationCounts(deps, call);
      return {
        type: "organization_counts",
        workspaces: counts.workspaces,
        api_keys: counts.apiKeys,
        members: counts.members,
        pending_invites: counts.pendingInvites,
        expiring_keys: counts.expiringKeys,
        doubtful_requests: counts.doubtfulRequests,
        refusal_causes: counts.refusalCauses,
        has_requests: counts.hasRequests,
      };
    },
    getUpstreamHealth: async ({ caller }) => {
      const health = await getUpstreamHealth(deps, caller.organizationId);
      return {
        type: "upstream_health",
        state: health.state,
        minutes: health.minutes,
        requests: health.requests,
        failed_requests: health.failedRequests,
        last_failed_at: health.lastFailedAt?.toISOString() ?? null,
      };
    },
  };
}
