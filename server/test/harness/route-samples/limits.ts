import type { Client, TestOrganization } from "../admin.ts";
import type { Sample, Samples } from "./sample.ts";
import { createId, findFirstId, INCREASE_REQUESTS, newIncreaseRequest } from "./subjects.ts";

/** Finds the organization's entry of a group. The official shape names a workspace's limit by it. */
const findOfficialEntry: Sample["prepareCaller"] = async (client) => {
  const path = "/v1/organizations/rate_limits?model=claude-sonnet-5";
  return { ids: { rate_limit_id: await findFirstId(client, path) } };
};

/** Whether the person sees increase requests of others in the workspace. */
const canSetLimits: Sample["isVisible"] = ({ role, workspaceRole, permission }) =>
  role === "owner" ||
  role === "admin" ||
  role === "billing" ||
  workspaceRole === "workspace_admin" ||
  permission === "admin";

/** A role in one workspace, or a key of one, gives no right to limits of the organization. */
const isInOneWorkspace: Sample["isDenied"] = ({ workspaceRole, permission }) =>
  workspaceRole !== undefined || permission !== undefined;

const GROUP_LIMIT_MODE = "/v1/admin/group_limit_mode";

/** Client of another owner, whose values have the rank of the caller. */
const makeOwner = async (org: TestOrganization): Promise<Client> =>
  (await org.member({ role: "owner" })).client;

export const limitSamples = {
  setWorkspaceLimit: {
    body: ({ workspace_id }) => ({ workspace_id, monthly_limit_usd: 100 }),
    ifWider: {
      wider: async ({ org, made: { workspace_id } }) => {
        const limit = { workspace_id, monthly_limit_usd: 99 };
        await (await makeOwner(org)).post("/v1/admin/workspaces/limits", limit);
        return {};
      },
      narrower: async () => ({}),
    },
  },
  listWorkspaceLimits: {},
  setSpendLimit: {
    body: ({ api_key_id }) => ({
      scope: { type: "api_key", api_key_id },
      period: "daily",
      limit_usd: 25,
    }),
    ifWider: {
      wider: async ({ org, made: { api_key_id } }) => {
        await (await makeOwner(org)).post("/v1/admin/spend_limits", {
          scope: { type: "api_key", api_key_id },
          period: "daily",
          limit_usd: 24,
        });
        return {};
      },
      narrower: async () => ({}),
    },
  },
  listSpendLimits: {},
  getSpendLimit: {},
  listLimitOverruns: {},
  getSpendLimitCapacity: {},
  deleteSpendLimit: {},
  setRateLimit: {
    body: ({ api_key_id }) => ({
      scope: { type: "api_key", api_key_id },
      requests_per_minute: 60,
    }),
    ifWider: {
      wider: async ({ org, made: { api_key_id } }) => {
        await (await makeOwner(org)).post("/v1/admin/rate_limits", {
          scope: { type: "api_key", api_key_id },
          requests_per_minute: 60,
          input_tokens_per_minute: 1_000,
        });
        return {};
      },
      narrower: async () => ({}),
    },
  },
  listRateLimits: {},
  getRateLimit: {},
  deleteRateLimit: {},
  getEffectiveRateLimits: { query: ({ api_key_id }) => `api_key_id=${api_key_id}` },
  listModelGroups: {},
  listOfficialRateLimits: {},
  listOfficialWorkspaceRateLimits: {},
  updateOfficialWorkspaceRateLimit: {
    prepareCaller: findOfficialEntry,
    callerIds: ["rate_limit_id"],
    body: () => ({ limits: [{ type: "requests_per_minute", value: 30 }] }),
  },

  getEffectiveSpendLimits: { query: ({ api_key_id }) => `api_key_id=${api_key_id}` },
  listBlockingLimits: {},
  listLimitForecasts: {},
  getPeriodSpend: { query: ({ workspace_id }) => `workspace_id=${workspace_id}` },
  getGroupLimitMode: {},
  setGroupLimitMode: {
    prepare: (operator) => operator.post(GROUP_LIMIT_MODE, { mode: "highest" }),
    body: () => ({ mode: "lowest" }),
    isDenied: isInOneWorkspace,
    ifWider: {
      wider: async ({ org }) => {
        await org.operator.post(GROUP_LIMIT_MODE, { mode: "lowest" });
        return { body: { mode: "highest" } };
      },
      narrower: async () => ({}),
    },
  },
  listOfficialSpendLimits: {},
  listEffectiveMemberLimits: {},
  setOfficialSpendLimit: {
    body: ({ workspace_id }) => ({ scope: { type: "workspace", workspace_id }, amount: "12345" }),
  },
  getOfficialSpendLimit: {},
  deleteOfficialSpendLimit: {},

  createIncreaseRequest: {
    needs: ["spend_limit_id"],
    body: ({ workspace_id }) => newIncreaseRequest(workspace_id),
  },
  listIncreaseRequests: {},
  getIncreaseRequest: { isVisible: canSetLimits },
  withdrawIncreaseRequest: {
    needs: ["workspace_id", "spend_limit_id"],
    prepareCaller: async (client, { workspace_id }) => {
      const id = await createId(client, INCREASE_REQUESTS, newIncreaseRequest(workspace_id));
      return { ids: { spend_limit_increase_request_id: id } };
    },
    callerIds: ["spend_limit_increase_request_id"],
  },
  approveIncreaseRequest: {
    body: () => ({ answer: "Spend it well." }),
    audits: ["spend_limit.set"],
  },
  denyIncreaseRequest: { body: () => ({ answer: "Not this month." }) },
  listOfficialIncreaseRequests: {},
  getOfficialIncreaseRequest: {},
  approveOfficialIncreaseRequest: {
    body: () => ({ amount: "100000000" }),
    audits: ["spend_limit.set"],
  },
  denyOfficialIncreaseRequest: { body: () => ({ suppress_notification: true }) },

  listUnresolvedSpend: {},
  resolveUnresolvedSpend: { body: () => ({ decision: "charge", reason: "The invoice has it." }) },
  listSpendAdjustments: {},
  setRequestCost: { body: () => ({ cost_usd: "0.21", reason: "The invoice has it." }) },
  checkLedger: {},
} satisfies Samples;
