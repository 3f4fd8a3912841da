import { z } from "zod";
import { count, timestamp } from "../fields.ts";
import { route } from "../route.ts";

// Counts for the overview and the rail of the console. Each is cheap enough to be read every 30 seconds.

const hidden = "Null: the caller cannot see them.";
const badge = (description: string) =>
  count.nullable().meta({ description: `${description} ${hidden}` });

export const badges = z
  .object({
    type: z.literal("badges"),
    alerts: badge(
      "Groups of open alerts: unacknowledged firings whose cause lasts, by kind and scope.",
    ),
    increase_requests: badge("Pending increase requests that the caller can decide."),
    access_reviews: badge("Open access reviews in which the caller has undecided items."),
    blocked_limits: badge("Spend limits that block requests now."),
    failing_channels: badge(
      "Alert channels that are paused, or failed at least three times in a row.",
    ),
    failing_upstreams: badge("Upstreams that are failing now. See `/v1/admin/upstreams/health`."),
  })
  .meta({ id: "Badges" });

export const getBadges = route({
  operationId: "getBadges",
  method: "GET",
  path: "/v1/admin/badges",
  summary: "Count what waits for the caller",
  description: "Each count has only what the caller can see.",
  action: "organization:read",
  audited: null,
  response: badges,
});

export const organizationCounts = z
  .object({
    type: z.literal("organization_counts"),
    workspaces: count.meta({ description: "Active workspaces that the caller can see." }),
    api_keys: badge("API keys that are neither archived nor expired."),
    members: badge("Active members of the organization."),
    pending_invites: badge("Invites that are neither accepted nor expired."),
    expiring_keys: badge("Active API keys that expire within 14 days."),
    doubtful_requests: badge(
      "Requests of the last 30 days with impossible or missing usage, without a decision about their cost. At most 1,000 are counted.",
    ),
    refusal_causes: badge("Causes of the requests that this server has refused today, in UTC."),
    has_requests: z.boolean().meta({
      description: "True: the organization has recorded usage, also outside the caller's view.",
    }),
  })
  .meta({ id: "OrganizationCounts" });

export const getOrganizationCounts = route({
  operationId: "getOrganizationCounts",
  method: "GET",
  path: "/v1/admin/organization/counts",
  summary: "Count workspaces, keys and members",
  description: "Counts what the overview of the console shows, of what the caller can see.",
  action: "organization:read",
  audited: null,
  response: organizationCounts,
});

export const upstreamHealth = z
  .object({
    type: z.literal("upstream_health"),
    state: z.enum(["working", "failing", "idle"]).meta({
      description:
        "`failing`: at least 20 % of at least 5 requests failed. `idle`: no request in the window.",
    }),
    minutes: count.meta({ description: "Length of the window that ends now." }),
    requests: count.meta({ description: "Requests of the window." }),
    failed_requests: count.meta({
      description: "Requests that ended in a server error, were interrupted, or did not reach it.",
    }),
    last_failed_at: timestamp.nullable().meta({
      description: "Minute of the last failed request in the window. Null: none failed.",
    }),
  })
  .meta({ id: "UpstreamHealth" });

export const getUpstreamHealth = route({
  operationId: "getUpstreamHealth",
  method: "GET",
  path: "/v1/admin/upstreams/health",
  summary: "Get the health of the upstream",
  description:
    "Judges the upstream in use by the organization's requests of the last 15 minutes, without a request of its own.",
  action: "upstreams:read",
  audited: null,
  response: upstreamHealth,
});

export const overviewRoutes = [getBadges, getOrganizationCounts, getUpstreamHealth] as const;
