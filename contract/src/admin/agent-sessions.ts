import { z } from "zod";
import { count, instant, optionalQuery, queryList, timestamp, usdText } from "../fields.ts";
import { apiKeyId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { requestClasses } from "../usage-shape.ts";
import { measuredFields, simulatedCost } from "./report-fields.ts";
import { claimedText } from "./requests.ts";

const used = {
  requests: count,
  ...measuredFields,
  cost_usd: usdText.meta({
    description: "Exact sum of the costs of the requests, without later decisions about them.",
  }),
  simulated_cost_usd: simulatedCost,
};

const activity = {
  first_request_at: timestamp,
  last_request_at: timestamp,
  ...used,
};

const owner = {
  member_id: memberId.nullable().meta({
    description: "Member who owned the keys of the requests. Null: a key without an owner.",
  }),
  api_key_id: apiKeyId.nullable().meta({
    description: "Key without an owner that sent the requests. Null: keys of a member.",
  }),
};

const sessionFields = {
  id: claimedText.meta({ description: "Id that the client claims." }),
  type: z.literal("agent_session"),
  is_claimed: z.literal(true).meta({
    description:
      "Id, prompts, agents and classes are claims of the client. Member, key, usage and cost are verified.",
  }),
  ...owner,
  member_name: z.string().nullable(),
  member_email: z.string().nullable(),
  api_key_name: z.string().nullable(),
  ...activity,
  models: z
    .array(z.object({ model: z.string(), ...used }))
    .meta({ description: "Models of the requests, the highest cost first." }),
};

export const agentSession = z.object(sessionFields).meta({ id: "AgentSession" });

const requestClass = z.enum(requestClasses).nullable();

const agent = z.object({
  agent_id: z.string().nullable().meta({ description: "Null: the main agent." }),
  parent_agent_id: z.string().nullable(),
  request_classes: z.array(z.enum(requestClasses)),
  ...activity,
});

const prompt = z.object({
  prompt_id: z.string().nullable().meta({ description: "Null: requests without a prompt." }),
  ...activity,
  agents: z.array(agent).meta({ description: "The main agent and subagents, oldest first." }),
});

export const agentSessionDetail = z
  .object({
    ...sessionFields,
    classes: z.array(z.object({ request_class: requestClass, ...used })),
    prompts: z.array(prompt).meta({
      description: "Prompts with their subagents, newest first. At most 500.",
    }),
    has_more_prompts: z.boolean().meta({
      description:
        "True: the session has more prompts, or these prompts have more than 5,000 agents together.",
    }),
    other_owners: z.array(z.object(owner)).meta({
      description: "Others who sent the same id. Their requests are another agent session.",
    }),
  })
  .meta({ id: "AgentSessionDetail" });

const ownership =
  "A session has the requests of one owner under one id that clients claim. The owner is a member, or a key without an owner. The " +
  "same id of two owners is two sessions. A caller sees the requests that the request log shows to them.";

export const listAgentSessions = route({
  operationId: "listAgentSessions",
  method: "GET",
  path: "/v1/admin/agent_sessions",
  summary: "List agent sessions",
  description:
    `Returns sessions of Claude Code with usage and exact cost. Sessions with the newest request come first. ${ownership} Filters ` +
    "select sessions by any of their requests, and the sums have all visible requests of the session. A page can be short or " +
    "empty, but `next_page` is set. The page has then searched a part of the log, and the next page continues there.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    ...pageCursorQuery,
    starting_at: optionalQuery(instant).meta({
      description: "With a request at this time or later.",
    }),
    ending_at: optionalQuery(instant).meta({ description: "With a request before this time." }),
    workspace_id: queryList(workspaceId),
    api_key_id: queryList(apiKeyId),
    member_id: queryList(memberId).meta({
      description: "Members who owned the keys at the time of the requests.",
    }),
    agent_session_id: optionalQuery(claimedText).meta({
      description: "Id that the client claims. Exact match.",
    }),
  }),
  response: pageCursor(agentSession),
});

export const getAgentSession = route({
  operationId: "getAgentSession",
  method: "GET",
  path: "/v1/admin/agent_sessions/{agent_session_id}",
  summary: "Get an agent session",
  description:
    "Returns usage and exact cost of a session, of each prompt with its subagents, of each agent and of each class. " +
    `${ownership} Without \`member_id\` and \`api_key_id\`, the owner with the oldest request is returned.`,
  action: "usage:read",
  audited: null,
  isReport: true,
  params: z.strictObject({
    agent_session_id: claimedText.meta({ description: "Id that the client claims." }),
  }),
  query: z.strictObject({
    member_id: optionalQuery(memberId).meta({ description: "Owner of the session." }),
    api_key_id: optionalQuery(apiKeyId).meta({
      description: "Key without an owner that has the session.",
    }),
  }),
  response: agentSessionDetail,
});

export const agentSessionRoutes = [listAgentSessions, getAgentSession] as const;
