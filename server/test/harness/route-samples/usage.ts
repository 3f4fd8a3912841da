import type { Sample, Samples } from "./sample.ts";
import { type Made, newContractTerm, newNeutralFeature, nextDays, nextName } from "./subjects.ts";

/** Whether the caller is a person. The keys of the tests belong to workspaces. */
const isNoPerson: Sample["isDenied"] = ({ actorType }) => actorType !== "member";

const inWorkspace = ({ workspace_id }: Made) => `workspace_id=${workspace_id}`;

export const usageSamples = {
  getMyUsage: { isDenied: isNoPerson },
  listMyLimits: { isDenied: isNoPerson },
  getUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  exportUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  getCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  exportCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  getCostSummary: {},
  getApiKeyTrends: {},
  listRequests: {},
  exportRequests: {},
  getRequest: { hasForeignUsage: true },
  listAgentSessions: {},
  getAgentSession: { hasForeignUsage: true },
  getRefusals: {},
  listRecentRefusals: {},
  getRequestLogSettings: {},
  updateRequestLogSettings: { body: () => ({ retention_days: nextDays() }) },
  getOfficialUsageReport: { query: "starting_at=2026-11-20T00:00:00Z" },
  getOfficialCostReport: { query: "starting_at=2026-11-20T00:00:00Z" },
  getOfficialClaudeCodeReport: { query: "starting_at=2026-11-20" },
  listAnalyticsUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  listAnalyticsCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  listStatements: { query: inWorkspace },
  getStatement: { query: inWorkspace },
  listStatementRows: { query: (made) => `group_by=workspace&${inWorkspace(made)}` },
  exportStatement: { query: inWorkspace },
  getStatementSettings: {},
  updateStatementSettings: { body: () => ({ cost_center_tag: nextName() }) },
  listContractTerms: {},
  createContractTerm: { body: newContractTerm },
  deleteContractTerm: {},
  listModelPrices: {},
  createModelPrice: {
    body: () => ({ model: nextName(), input_usd: 1, output_usd: 5 }),
    ifWider: {
      wider: async () => ({ body: { model: "claude-haiku-4-5", input_usd: 0 } }),
      narrower: async () => ({
        body: { model: "claude-haiku-4-5", input_usd: 1_000, output_usd: 5_000 },
      }),
    },
  },
  previewModelPrice: { body: () => ({ model: nextName(), input_usd: 1, output_usd: 5 }) },
  listNeutralFeatures: {},
  setNeutralFeature: { body: newNeutralFeature },
  deleteNeutralFeature: {},
  listExceededBounds: {},
  deleteExceededBound: {},
} satisfies Samples;
