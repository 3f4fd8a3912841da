import type {
  agentSession,
  agentSessionDetail,
  agentSessionRoutes,
} from "@bursar/contract/admin/agent-sessions.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import { billedMeasures, toRecord } from "@bursar/contract/usage-shape.ts";
import type { z } from "zod";
import type { Call, ReportCall } from "#src/access/call.ts";
import type { Database } from "#src/db/pool.ts";
import { formatUsd } from "#src/domain/money.ts";
import type { UsageNames } from "#src/recording/usage-names.sql.ts";
import { toUsedCounts } from "#src/usage/used-counts.ts";
import type { UsedSums } from "./agent-sessions.sql.ts";
import {
  type FoundSession,
  getAgentSession,
  listAgentSessions,
  type SessionDetail,
} from "./agent-sessions.ts";

export function makeAgentSessionHandlers(deps: {
  database: Database;
  nowMs: () => number;
}): HandlersFor<(typeof agentSessionRoutes)[number], Call, never, ReportCall> {
  return {
    listAgentSessions: async (call, { query }) => {
      const { sessions, names, nextPage } = await listAgentSessions(deps, call, query);
      return { data: sessions.map((each) => toWire(each, names)), next_page: nextPage };
    },
    getAgentSession: async (call, { params, query }) =>
      toDetail(await getAgentSession(deps, call, params.agent_session_id, query)),
  };
}

function toWire(session: FoundSession, names: UsageNames): z.input<typeof agentSession> {
  const { id, memberId, apiKeyId, models } = session;
  const member = memberId === null ? undefined : names.members.get(memberId);
  return {
    id,
    type: "agent_session",
    is_claimed: true,
    member_id: memberId,
    api_key_id: apiKeyId,
    member_name: member?.name ?? null,
    member_email: member?.email ?? null,
    api_key_name: apiKeyId === null ? null : (names.apiKeys.get(apiKeyId) ?? null),
    ...toActivity(addSums(models)),
    models: models.map((row) => ({ model: row.model ?? "", ...toUsed(row) })),
  };
}

function toDetail(detail: SessionDetail): z.input<typeof agentSessionDetail> {
  const { session, names, classes, prompts, agents, hasMorePrompts, otherOwners } = detail;
  const agentsOf = Map.groupBy(agents, ({ prompt_id }) => prompt_id);
  return {
    ...toWire(session, names),
    classes: classes.map((row) => ({
      request_class: row.request_classes[0] ?? null,
      ...toUsed(row),
    })),
    prompts: prompts.map((row) => ({
      prompt_id: row.prompt_id,
      ...toActivity(row),
      agents: (agentsOf.get(row.prompt_id) ?? []).map((agent) => ({
        agent_id: agent.agent_id,
        parent_agent_id: agent.parent_agent,
        request_classes: agent.request_classes,
        ...toActivity(agent),
      })),
    })),
    has_more_prompts: hasMorePrompts,
    other_owners: otherOwners.map(({ memberId, apiKeyId }) => ({
      member_id: memberId,
      api_key_id: apiKeyId,
    })),
  };
}

function toActivity(row: UsedSums) {
  return {
    first_request_at: row.first_at.toISOString(),
    last_request_at: row.last_at.toISOString(),
    ...toUsed(row),
  };
}

function toUsed(row: UsedSums) {
  return {
    requests: Number(row.requests),
    ...toUsedCounts(row),
    cost_usd: formatUsd(row.cost_nano_usd),
    simulated_cost_usd: formatUsd(row.simulated_nano_usd),
  };
}

/** Sum of the rows of a session, which has at least one. */
function addSums(rows: readonly UsedSums[]): UsedSums {
  const sum = (read: (row: UsedSums) => bigint) => rows.reduce((all, row) => all + read(row), 0n);
  const times = rows.flatMap(({ first_at, last_at }) => [first_at.getTime(), last_at.getTime()]);
  return {
    requests: sum(({ requests }) => requests),
    first_at: new Date(Math.min(...times)),
    last_at: new Date(Math.max(...times)),
    ...toRecord(billedMeasures, "column", ({ column }) => sum((row) => row[column])),
    cost_nano_usd: sum(({ cost_nano_usd }) => cost_nano_usd),
    simulated_nano_usd: sum(({ simulated_nano_usd }) => simulated_nano_usd),
  };
}
