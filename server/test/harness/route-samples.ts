import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import type { Answer, Client, Listed, TestOrganization } from "./admin.ts";

// A call of every route that succeeds, for the tests that go through all of them. A new route does not compile until it
// has a sample here.

/** One thing of each kind that a route can name, by the name of its id. */
export type Made = Record<
  | "workspace_id"
  | "api_key_id"
  | "admin_key_id"
  | "upstream_id"
  | "spend_limit_id"
  | "audit_event_id"
  | "request_id",
  string
>;

export async function makeEach(organization: TestOrganization): Promise<Made> {
  const { operator } = organization;
  const { id: workspaceId } = await operator.createWorkspace();
  const { id: apiKeyId } = await operator.createApiKey(workspaceId);
  const { id: adminKeyId } = await operator.createAdminKey();
  const limit = await operator.post<{ id: string }>("/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "weekly",
    limit_usd: 50,
  });
  return {
    workspace_id: workspaceId,
    api_key_id: apiKeyId,
    admin_key_id: adminKeyId,
    upstream_id: await findOrMakeUpstream(operator),
    spend_limit_id: limit.body.id,
    request_id: await organization.recordRequest({ workspaceId, apiKeyId }),
    audit_event_id: await findAuditEvent(operator),
  };
}

async function findAuditEvent(operator: Client): Promise<string> {
  const { body } = await operator.get<Listed<{ id: string }>>("/v1/admin/audit_events?limit=1");
  const [newest] = body.data;
  return newest?.id ?? "";
}

/** There is at most one: the existing one where there is. */
async function findOrMakeUpstream(operator: Client): Promise<string> {
  const { body } = await operator.get<Listed<{ id: string }>>("/v1/admin/upstreams");
  const [existing] = body.data;
  if (existing) return existing.id;
  const made = await operator.post<{ id: string }>("/v1/admin/upstreams", {
    name: "Claude",
    base_url: "https://api.anthropic.com",
    credential: "sk-ant-api03-a-credential-of-the-upstream",
  });
  return made.body.id;
}

/** Ids that nothing has. */
export const unknownIds: Made = {
  workspace_id: "wksp_unknown",
  api_key_id: "apikey_unknown",
  admin_key_id: "adminkey_unknown",
  upstream_id: "ups_unknown",
  spend_limit_id: "spl_unknown",
  request_id: "req_unknown",
  audit_event_id: "audit_unknown",
};

interface Sample {
  /** With which the call succeeds and, where the route changes something, does change it. */
  body?: (made: Made) => object;
  query?: string;
  /** What has to happen in the organization first. */
  prepare?: (operator: Client, made: Made) => Promise<unknown>;
  /** It changes an API key that is there, and that is not the caller's own. */
  isOnOthersKey?: true;
  /** It shows what others' keys did: for who sees only what is the person's own, that does not exist. */
  isOfOthersUsage?: true;
}

let uniqueName = 0;
let uniqueDays = 1_000;
const nextName = () => `Name ${++uniqueName}`;
const renamed = { body: () => ({ name: nextName() }) };

export const samples: Record<AdminRoute["operationId"], Sample> = {
  getOrganization: {},

  listWorkspaces: {},
  createWorkspace: renamed,
  getWorkspace: {},
  updateWorkspace: renamed,
  archiveWorkspace: {},
  listOfficialWorkspaces: {},
  createOfficialWorkspace: renamed,
  getOfficialWorkspace: {},
  updateOfficialWorkspace: renamed,
  archiveOfficialWorkspace: {},

  createApiKey: { body: ({ workspace_id }) => ({ name: nextName(), workspace_id }) },
  listApiKeys: {},
  getApiKey: {},
  updateApiKey: { ...renamed, isOnOthersKey: true },
  rotateApiKey: { body: () => ({ grace_period_seconds: 3600 }), isOnOthersKey: true },
  cutOffApiKey: {
    prepare: (operator, { api_key_id }) =>
      operator.post(`/v1/admin/api_keys/${api_key_id}/rotate`, { grace_period_seconds: 3600 }),
    isOnOthersKey: true,
  },
  listOfficialApiKeys: {},
  getOfficialApiKey: {},
  updateOfficialApiKey: { ...renamed, isOnOthersKey: true },

  createAdminKey: renamed,
  listAdminKeys: {},
  getAdminKey: {},
  revokeAdminKey: {},

  getSecuritySettings: {},
  updateSecuritySettings: { body: () => ({ max_key_lifetime_days: ++uniqueDays }) },

  setWorkspaceLimit: { body: ({ workspace_id }) => ({ workspace_id, monthly_limit_usd: 100 }) },
  listWorkspaceLimits: {},
  setSpendLimit: {
    body: ({ api_key_id }) => ({
      scope: { type: "api_key", api_key_id },
      period: "daily",
      limit_usd: 25,
    }),
  },
  listSpendLimits: {},
  getSpendLimit: {},
  deleteSpendLimit: {},

  getUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  exportUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  getCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  exportCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  getCostSummary: {},
  listRequests: {},
  exportRequests: {},
  getRequest: { isOfOthersUsage: true },
  getRequestLogSettings: {},
  updateRequestLogSettings: { body: () => ({ retention_days: ++uniqueDays }) },
  getOfficialUsageReport: { query: "starting_at=2026-11-20T00:00:00Z" },
  getOfficialCostReport: { query: "starting_at=2026-11-20T00:00:00Z" },
  getOfficialClaudeCodeReport: { query: "starting_at=2026-11-20" },
  listAnalyticsUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  listAnalyticsCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  listModelPrices: {},
  createModelPrice: { body: () => ({ model: nextName(), input_usd: 1, output_usd: 5 }) },

  listUpstreams: {},
  createUpstream: {
    body: () => ({ name: nextName(), base_url: "https://api.anthropic.com" }),
    prepare: (operator, { upstream_id }) => operator.remove(`/v1/admin/upstreams/${upstream_id}`),
  },
  getUpstream: {},
  updateUpstream: renamed,
  deleteUpstream: {},

  listAuditEvents: {},
  exportAuditEvents: { query: "format=csv" },
  getAuditEvent: {},
  getAuditLogState: {},
  verifyAuditLog: {},
  setAuditRetention: { body: () => ({ retention_days: 365 }) },
};

export function sampleOf(route: AdminRoute): Sample {
  return samples[route.operationId];
}

export function urlOf(route: AdminRoute, ids: Record<string, string>): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new Error(`${route.path}: make a ${name} in makeEach`);
    return encodeURIComponent(id);
  });
  const { query } = sampleOf(route);
  return query === undefined ? path : `${path}?${query}`;
}

/** The sample call, with more fields in the body where a test wants them. */
export function callRoute<Body>(
  client: Client,
  route: AdminRoute,
  ids: Made,
  extra: object = {},
): Promise<Answer<Body>> {
  const body = sampleOf(route).body?.(ids);
  const payload = { ...body, ...extra };
  return client.send({
    method: route.method,
    url: urlOf(route, ids),
    ...((body !== undefined || Object.keys(extra).length > 0) && { payload }),
  });
}

/** True of a route that is about one thing which must be there: in its path or its body. */
export function hasTarget(route: AdminRoute): boolean {
  if ("params" in route) return true;
  const body = JSON.stringify(sampleOf(route).body?.(unknownIds) ?? {});
  return Object.values(unknownIds).some((id) => body.includes(id));
}

/** Name and route of each, as `test.each` takes them. */
export const namedRoutes = adminRoutes.map((route): [string, AdminRoute] => [
  `${route.method} ${route.path}`,
  route,
]);
