import { z } from "zod";
import { count, optionalQuery, timestamp, usdAmount, usdText } from "../fields.ts";
import { apiKeyId, groupId, memberId, spendLimitId, tagId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { scopeTypes, wireScope } from "../scope.ts";
import { getGroupLimitMode, setGroupLimitMode } from "./group-limit-mode.ts";
import { getSpendLimitCapacity } from "./limit-capacity.ts";
import {
  ifVersion,
  limitQuery,
  limitValueFields,
  limitVersion,
  rankToRemove,
  rankToSet,
} from "./limit-fields.ts";
import { listLimitOverruns } from "./limit-overruns.ts";
import {
  deleteOfficialSpendLimit,
  getOfficialSpendLimit,
  listEffectiveMemberLimits,
  listOfficialSpendLimits,
  setOfficialSpendLimit,
} from "./official-spend-limits.ts";
import { activation, amounts, blocksNow, remaining } from "./spend-amounts.ts";

/**
 * Enforcement levels. The first is the default of all routes. Each level is listed only once the server enforces it.
 */
export const enforcements = ["strict", "soft", "alert_only"] as const;

const enforcement = z.enum(enforcements);
const enforcementDescription =
  "`strict`: a request is sent only if its hold fits besides all running requests. `soft`: requests are refused once spend has reached the limit. `alert_only`: no request is refused.";

export const periods = ["daily", "weekly", "monthly"] as const;

const setEnforcement = z
  .enum(enforcements)
  .default(enforcements[0])
  .meta({ description: enforcementDescription });

const openEndedHold = {
  open_ended_hold_usd: usdAmount.nullable().default(null).meta({
    description:
      "US dollars that a strict limit holds for an open-ended request (server tools, MCP servers, containers) in place of a larger worst case. Null: the whole worst case.",
  }),
};

export const unknownFeatureRules = ["hold", "refuse"] as const;

const unknownFeatures = z.enum(unknownFeatureRules).meta({
  description:
    "Rule of a strict limit for requests with features that this server does not know. `hold`: hold the highest price of all models. `refuse`: refuse the request. See `/v1/admin/neutral_features`.",
});
const setUnknownFeatures = { unknown_features: unknownFeatures.default("hold") };

export const holdRules = ["steps", "whole"] as const;

/** Rule of a new limit whose request names none. */
export const NEW_LIMIT_HOLD: (typeof holdRules)[number] = "steps";

const holdDescription =
  "Rule of a strict limit for streams. `steps`: hold the input and the next part of the output, and more as the stream goes on. A stream is cut when the limit has nothing left. `whole`: hold the worst case of the stream from its start. Other requests are always held whole.";

const hold = z.enum(holdRules).meta({ description: holdDescription });
const setHold = {
  hold: z
    .enum(holdRules)
    .optional()
    .meta({
      description: `${holdDescription} Omitted: the rule that your rank has set, or \`${NEW_LIMIT_HOLD}\` for a new limit.`,
    }),
};

const spendLimitValue = z
  .object({
    ...limitValueFields,
    limit_usd: z.number(),
    enforcement,
    open_ended_hold_usd: z.number().nullable(),
    unknown_features: unknownFeatures,
    hold,
  })
  .meta({ id: "SpendLimitValue" });

const values = z.array(spendLimitValue).meta({
  description:
    "Values by rank, highest first. The limit has the lowest amount and the strictest enforcement of the values that refuse requests.",
});

/**
 * The limit is a JSON number, as in the request: with at most 15 significant digits it is exact. Spend is a sum, so it is
 * decimal text.
 */
export const workspaceLimit = z
  .object({
    type: z.literal("workspace_limit"),
    id: spendLimitId.nullable(),
    workspace_id: workspaceId,
    workspace_name: z.string(),
    monthly_limit_usd: z.number().nullable().meta({ description: "Null: no limit." }),
    enforcement: enforcement.nullable().meta({ description: enforcementDescription }),
    period: z.literal("monthly"),
    period_starts_at: timestamp,
    period_ends_at: timestamp,
    ...amounts,
    remaining_usd: remaining.nullable(),
    blocks_now: blocksNow,
    state: activation.state.nullable(),
    activating_since: activation.activating_since,
    open_ended_hold_usd: z.number().nullable(),
    unknown_features: unknownFeatures.nullable(),
    hold: hold.nullable(),
    values,
    version: limitVersion.nullable(),
    updated_at: timestamp.nullable(),
  })
  .meta({ id: "WorkspaceLimit" });

export const setWorkspaceLimit = route({
  operationId: "setWorkspaceLimit",
  method: "POST",
  path: "/v1/admin/workspaces/limits",
  summary: "Set a workspace's monthly limit",
  description:
    "Sets the value of the caller's rank, or of the lower `rank`. Null removes values, as a deletion does. Months are calendar months in UTC. Takes effect at once. A limit below the current spend is accepted and refuses requests: `blocks_now` is true.",
  action: "spend_limits:write",
  audited: "spend_limit.set",
  stepUp: "if_wider",
  body: z.strictObject({
    workspace_id: workspaceId,
    monthly_limit_usd: usdAmount.nullable(),
    enforcement: setEnforcement,
    ...openEndedHold,
    ...setUnknownFeatures,
    ...setHold,
    ...rankToSet,
    ...ifVersion,
  }),
  response: workspaceLimit,
});

export const listWorkspaceLimits = route({
  operationId: "listWorkspaceLimits",
  method: "GET",
  path: "/v1/admin/workspaces/limits",
  summary: "List workspace limits and spend of this month",
  description:
    "Lists one entry for each active workspace, newest first, with or without a limit. `workspace_id` returns only that workspace, even if it is archived.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, workspace_id: optionalQuery(workspaceId) }),
  response: pageCursor(workspaceLimit),
});

const limitScope = wireScope.meta({ description: "Scope whose spend is limited." });

export const inheritedFrom = z
  .object({ type: z.literal("group"), group_id: groupId, group_name: z.string() })
  .nullable()
  .meta({
    description:
      "Group whose default cap decides the amount of a member's limit. Null: a value of the scope itself.",
  });

export const spendLimit = z
  .object({
    type: z.literal("spend_limit"),
    id: spendLimitId,
    scope: limitScope,
    scope_name: z.string().meta({ description: "Name of the scope. Empty: it no longer exists." }),
    inherited_from: inheritedFrom,
    member_count: count.nullable().meta({
      description: "Members of the group, for a default cap. Null: another scope.",
    }),
    period: z.enum(periods),
    limit_usd: z.number(),
    enforcement: enforcement.meta({ description: enforcementDescription }),
    period_starts_at: timestamp,
    period_ends_at: timestamp,
    ...amounts,
    remaining_usd: remaining,
    blocks_now: blocksNow,
    ...activation,
    open_ended_hold_usd: z.number().nullable(),
    unknown_features: unknownFeatures,
    hold,
    values,
    version: limitVersion,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "SpendLimit" });

const spendLimitParams = z.strictObject({ spend_limit_id: spendLimitId });

export const setSpendLimit = route({
  operationId: "setSpendLimit",
  method: "POST",
  path: "/v1/admin/spend_limits",
  summary: "Set a spend limit",
  description:
    "Sets the value of the caller's rank, or of the lower `rank`. The scope `group_member` is the default cap of each member of a group. A changed limit keeps its id. A higher amount is accepted while another rank keeps the limit lower: compare `limit_usd` and `values`. Periods are calendar days, weeks (from Monday) and months in UTC. Takes effect at once. A limit below the current spend is accepted and refuses requests: `blocks_now` is true. Limits of the organization, and of members, groups and tags need an admin key or the role Owner, Admin or Billing.",
  action: "spend_limits:write",
  audited: "spend_limit.set",
  stepUp: "if_wider",
  body: z.strictObject({
    scope: limitScope,
    period: z.enum(periods),
    limit_usd: usdAmount,
    enforcement: setEnforcement,
    ...openEndedHold,
    ...setUnknownFeatures,
    ...setHold,
    ...rankToSet,
    ...ifVersion,
  }),
  response: spendLimit,
});

/** Scopes beside the workspace and the key. */
const personQuery = {
  member_id: optionalQuery(memberId),
  group_id: optionalQuery(groupId),
  tag_id: optionalQuery(tagId),
};

export const listSpendLimits = route({
  operationId: "listSpendLimits",
  method: "GET",
  path: "/v1/admin/spend_limits",
  summary: "List spend limits with their spend",
  description:
    "Newest first. `workspace_id` finds the limits of that workspace and of its keys. `inherited=false` omits limits of members that only default caps of groups decide. Filters combine.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject({
    ...limitQuery,
    scope_type: optionalQuery(z.enum(scopeTypes)),
    ...personQuery,
    period: optionalQuery(z.enum(periods)),
    inherited: optionalQuery(z.enum(["true", "false"])),
  }),
  response: pageCursor(spendLimit),
});

export const getSpendLimit = route({
  operationId: "getSpendLimit",
  method: "GET",
  path: "/v1/admin/spend_limits/{spend_limit_id}",
  summary: "Get a spend limit",
  action: "spend_limits:read",
  audited: null,
  params: spendLimitParams,
  response: spendLimit,
});

export const deleteSpendLimit = route({
  operationId: "deleteSpendLimit",
  method: "DELETE",
  path: "/v1/admin/spend_limits/{spend_limit_id}",
  summary: "Delete a spend limit",
  description:
    "Removes the values of the caller's rank and of lower ones. The limit stays while a higher rank has a value. Takes effect at once. Spend is still counted.",
  action: "spend_limits:write",
  audited: "spend_limit.deleted",
  stepUp: true,
  params: spendLimitParams,
  query: z.strictObject({ rank: rankToRemove }),
  response: z.object({
    id: spendLimitId,
    type: z.literal("spend_limit_deleted"),
    values: values.meta({ description: "Values that stay. Empty: the limit is deleted." }),
  }),
});

const bindingLimit = z
  .object({
    spend_limit_id: spendLimitId.nullable(),
    scope_type: z.enum(scopeTypes),
    period: z.enum(periods),
    period_ends_at: timestamp,
  })
  .meta({ description: "A limit. Its id is null if the caller cannot see it." });

export const effectiveSpendLimits = z
  .object({
    type: z.literal("effective_spend_limits"),
    api_key_id: apiKeyId.nullable().meta({ description: "Null: the limits of a member." }),
    workspace_id: workspaceId.nullable().meta({ description: "Workspace of the key." }),
    member_id: memberId
      .nullable()
      .meta({ description: "The member, or the owner of the key. Null: a key without an owner." }),
    limits: z.array(spendLimit).meta({
      description:
        "Limits of the key, its owner, its tags, the owner's groups, its workspace and the organization, narrowest first. For a member: of the member, the member's keys and their tags, the groups, the workspaces of the keys and the organization.",
    }),
    binds_first: bindingLimit.nullable().meta({
      description:
        "The strict or soft limit with the lowest remaining amount. Null: there is none.",
    }),
    is_blocked: z.boolean(),
    max_request_usd: usdText.nullable().meta({
      description:
        "Highest cost that a request of the key can have now if it is held whole, besides all running requests, in US dollars. Null: not limited. For a member: by the limits of all requests of the member.",
    }),
    max_stream_usd: usdText.nullable().meta({
      description:
        "Highest cost that a stream of the key can have now, by the limits with `hold: whole`. Null: none of them limits it.",
    }),
    max_first_hold_usd: usdText.nullable().meta({
      description:
        "Highest hold with which a stream of the key can start now, by the limits with `hold: steps`: its input and the first step of its output. Null: none of them limits it.",
    }),
  })
  .meta({ id: "EffectiveSpendLimits" });

export const getEffectiveSpendLimits = route({
  operationId: "getEffectiveSpendLimits",
  method: "GET",
  path: "/v1/admin/spend_limits/effective",
  summary: "Get the effective spend limits of a key or a member",
  description:
    "Returns all limits that apply to a request of the key or the member, the first one to bind, and the highest cost of a request now. Limits that the caller cannot see are counted but not listed. Send one of `api_key_id` and `member_id`. A member's limits need an admin key or a role that sees all limits.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject({
    api_key_id: optionalQuery(apiKeyId),
    member_id: optionalQuery(memberId),
  }),
  response: effectiveSpendLimits,
});

export const blockingLimit = z
  .object({
    type: z.literal("blocking_limit"),
    scope_name: z.string().meta({ description: "Name of the scope." }),
    workspace_id: workspaceId
      .nullable()
      .meta({ description: "Workspace of the scope. Null: not a workspace or key." }),
    blocked_keys: count.meta({
      description: "Keys of the scope that could send messages without this limit.",
    }),
    spend_limit: spendLimit,
  })
  .meta({ id: "BlockingLimit" });

export const listBlockingLimits = route({
  operationId: "listBlockingLimits",
  method: "GET",
  path: "/v1/admin/spend_limits/blocking",
  summary: "List limits that block requests now",
  description:
    "Newest first: limits whose `blocks_now` is true. Omits archived workspaces and keys that cannot send messages anyway.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject(pageCursorQuery),
  response: pageCursor(blockingLimit),
});

export const periodSpend = z
  .object({
    type: z.literal("period_spend"),
    scope: wireScope,
    period: z.enum(periods),
    period_starts_at: timestamp,
    period_ends_at: timestamp,
    spent_usd: usdText,
    working_keys: count.meta({
      description:
        "Keys of the scope that can send messages now. A strict or soft limit of at most `spent_usd` blocks all of them.",
    }),
  })
  .meta({ id: "PeriodSpend" });

export const getPeriodSpend = route({
  operationId: "getPeriodSpend",
  method: "GET",
  path: "/v1/admin/spend_limits/period_spend",
  summary: "Get what a scope has spent in the current period",
  description:
    "Shows the effect of a limit before it is set. Returns the spend of the key, workspace, member, group or tag that is named, or else of the organization.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject({
    period: z.enum(periods).default("monthly"),
    workspace_id: optionalQuery(workspaceId),
    api_key_id: optionalQuery(apiKeyId),
    ...personQuery,
  }),
  response: periodSpend,
});

export const spendLimitRoutes = [
  setWorkspaceLimit,
  listWorkspaceLimits,
  setSpendLimit,
  listSpendLimits,
  getSpendLimit,
  listLimitOverruns,
  getSpendLimitCapacity,
  deleteSpendLimit,
  getEffectiveSpendLimits,
  listBlockingLimits,
  getPeriodSpend,
  getGroupLimitMode,
  setGroupLimitMode,
  listOfficialSpendLimits,
  listEffectiveMemberLimits,
  setOfficialSpendLimit,
  getOfficialSpendLimit,
  deleteOfficialSpendLimit,
] as const;
