import { z } from "zod";
import { optionalQuery, queryList, timestamp } from "../fields.ts";
import { groupId, memberId, spendLimitId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

// The official shape has amounts in cents, and no limits of keys, tags and whole groups. A limit of `rbac_group` is the default
// cap of each member of the group.

const periods = ["daily", "weekly", "monthly"] as const;
export const officialScopeTypes = ["organization", "workspace", "user", "rbac_group"] as const;

export const officialScope = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("organization") }),
    z.strictObject({ type: z.literal("workspace"), workspace_id: workspaceId }),
    z.strictObject({ type: z.literal("user"), user_id: memberId }),
    z.strictObject({ type: z.literal("rbac_group"), rbac_group_id: groupId }),
  ],
  {
    error: ({ code }) =>
      code === "invalid_union" ? `expected one of ${officialScopeTypes.join(", ")}` : undefined,
  },
);

export const officialSpendLimit = z
  .object({
    id: spendLimitId,
    type: z.literal("spend_limit"),
    scope: officialScope,
    period: z.enum(periods),
    amount: z.string().nullable().meta({
      description:
        "Whole US cents. Fractions of a cent are not shown. Null: the limit of a user only alerts.",
    }),
    currency: z.literal("USD"),
    is_enabled: z.literal(true),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "OfficialSpendLimit" });

const spendLimitParams = z.strictObject({ spend_limit_id: spendLimitId });

const MAX_SEARCH_LENGTH = 100;

const expectedCents =
  'expected whole US cents as text, such as "50000" for $500.00. To remove a limit, delete it';

export const listOfficialSpendLimits = route({
  operationId: "listOfficialSpendLimits",
  method: "GET",
  path: "/v1/organizations/spend_limits",
  summary: "List spend limits (official shape)",
  description:
    "Newest first: limits of the organization and of workspaces, own values of users, and default caps of groups. Limits of API keys, tags and whole groups have no official shape.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    scope_type: queryList(z.enum(officialScopeTypes)),
    workspace_id: optionalQuery(workspaceId),
  }),
  response: pageCursor(officialSpendLimit),
});

const effectiveMemberLimit = z
  .object({
    actor: z.object({
      type: z.literal("user_actor"),
      user_id: memberId,
      name: z.string().nullable(),
      email_address: z.string().nullable(),
      deleted: z.boolean(),
    }),
    amount: z.string().nullable().meta({
      description: "The limit, in whole US cents. Null: it only alerts.",
    }),
    currency: z.literal("USD"),
    period: z.enum(periods),
    period_to_date_spend: z.string().meta({
      description:
        "Cost of the requests of the member's keys in the running period, in US cents with at most 3 decimals.",
    }),
    scope: z.object({ type: z.literal("user"), user_id: memberId }),
    source: officialScope.meta({
      description:
        "Origin of the limit: the user's own value, the default cap of a group, or the organization.",
    }),
    spend_limit_id: spendLimitId.meta({ description: "The limit of the source." }),
  })
  .meta({ id: "EffectiveMemberLimit" });

export const listEffectiveMemberLimits = route({
  operationId: "listEffectiveMemberLimits",
  method: "GET",
  path: "/v1/organizations/spend_limits/effective",
  summary: "List the effective spend limits of members (official shape)",
  description:
    "Lists one row per member and period, newest members first. The periods of a member stay on one page. A row has the member's " +
    "own limit, or else the highest or lowest default cap of the member's groups. Members without one have the organization's limit, " +
    "which all members share, if it does not only alert. `period_to_date_spend` is the spend of the member alone. Limits of " +
    "workspaces, API keys, tags and whole groups are not limits of a member.",
  action: "members:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    user_ids: queryList(memberId),
    period: queryList(z.enum(periods)),
    sort: optionalQuery(z.enum(["spend_desc"])).meta({
      description: "Highest spend first, in the longest period of the response.",
    }),
    q: optionalQuery(z.string().max(MAX_SEARCH_LENGTH)).meta({
      description: "Part of the member's name or address.",
    }),
  }),
  response: pageCursor(effectiveMemberLimit),
});

export const setOfficialSpendLimit = route({
  operationId: "setOfficialSpendLimit",
  method: "POST",
  path: "/v1/organizations/spend_limits",
  summary: "Set a spend limit (official shape)",
  description:
    "Creates the limit of this scope and period, or changes its amount. Fields that this shape does not have stay the same. A new limit is strict. `amount` null is for users: the limit then only alerts, and no default cap of a group applies.",
  action: "spend_limits:write",
  audited: "spend_limit.set",
  stepUp: true,
  body: z.strictObject({
    scope: officialScope,
    amount: z
      .string({ error: expectedCents })
      .regex(/^\d{1,11}$/, expectedCents)
      .nullable(),
    period: z.enum(periods).default("monthly"),
  }),
  response: officialSpendLimit,
});

export const getOfficialSpendLimit = route({
  operationId: "getOfficialSpendLimit",
  method: "GET",
  path: "/v1/organizations/spend_limits/{spend_limit_id}",
  summary: "Get a spend limit (official shape)",
  action: "spend_limits:read",
  audited: null,
  params: spendLimitParams,
  response: officialSpendLimit,
});

export const deleteOfficialSpendLimit = route({
  operationId: "deleteOfficialSpendLimit",
  method: "DELETE",
  path: "/v1/organizations/spend_limits/{spend_limit_id}",
  summary: "Delete a spend limit (official shape)",
  action: "spend_limits:write",
  audited: "spend_limit.deleted",
  stepUp: true,
  params: spendLimitParams,
  response: z.object({ id: spendLimitId, type: z.literal("spend_limit_deleted") }),
});
