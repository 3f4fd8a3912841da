import { z } from "zod";
import { optionalQuery, queryList, timestamp, usdAmount, usdText } from "../fields.ts";
import { increaseRequestId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { countedScope, wireScope } from "../scope.ts";
import { officialSpendLimit } from "./official-spend-limits.ts";

const MAX_TEXT_LENGTH = 1_000;
const periods = ["daily", "weekly", "monthly"] as const;
const statuses = ["pending", "approved", "denied", "withdrawn"] as const;

const actor = z.object({
  type: z.string(),
  id: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable().meta({
    description: "Address of the member, or of the owner of a personal key that requests.",
  }),
});

export const increaseRequest = z
  .object({
    id: increaseRequestId,
    type: z.literal("increase_request"),
    requester: actor,
    scope: wireScope,
    scope_name: z.string(),
    period: z.enum(periods),
    limit_when_asked_usd: usdText,
    amount_usd: usdText.meta({ description: "The requested limit." }),
    reason: z.string(),
    limit_usd: usdText.nullable().meta({
      description: "Current limit. Null: there is none, or the caller has left the workspace.",
    }),
    spent_usd: usdText.nullable().meta({
      description: "Spend in the current period. Null: the caller cannot see it.",
    }),
    held_usd: usdText.nullable(),
    status: z.enum(statuses),
    approved_usd: usdText.nullable(),
    answer: z.string().nullable(),
    resolved_by: actor.nullable(),
    is_own: z.boolean().meta({
      description:
        "True: the caller or a personal key of the caller created it, so the caller can withdraw it.",
    }),
    can_resolve: z.boolean().meta({
      description:
        "True: the caller can approve and deny it. False for the person who created it, also with another key or session.",
    }),
    created_at: timestamp,
    resolved_at: timestamp.nullable(),
  })
  .meta({ id: "IncreaseRequest" });

const params = z.strictObject({ spend_limit_increase_request_id: increaseRequestId });
const answer = z.string().trim().max(MAX_TEXT_LENGTH).default("").meta({
  description: "Message for the requester.",
});

export const createIncreaseRequest = route({
  operationId: "createIncreaseRequest",
  method: "POST",
  path: "/v1/admin/spend_limit_increase_requests",
  summary: "Create an increase request",
  description:
    "Requests a higher limit of the organization, a workspace of the caller, or an API key that the caller can see. Only members and admin keys can request it for the organization. A workspace key can request it for itself or its workspace. A person, also by a personal key, can request it for themselves, their groups and the tags of their keys. Callers who see all limits can request it for every member, group and tag. Members who can set the limit are notified by e-mail. Another call replaces a pending request. At most 20 requests per day.",
  action: "spend_limits:request",
  audited: "increase_request.created",
  body: z.strictObject({
    scope: countedScope,
    period: z.enum(periods).default("monthly"),
    amount_usd: usdAmount,
    reason: z.string().trim().min(1).max(MAX_TEXT_LENGTH),
  }),
  response: increaseRequest,
});

export const listIncreaseRequests = route({
  operationId: "listIncreaseRequests",
  method: "GET",
  path: "/v1/admin/spend_limit_increase_requests",
  summary: "List increase requests",
  description:
    "Lists requests of the caller and of the caller's personal keys, and those that the caller can decide, newest first.",
  action: "spend_limits:request",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    statuses: queryList(z.enum(statuses)),
    workspace_id: optionalQuery(workspaceId),
  }),
  response: pageCursor(increaseRequest),
});

export const getIncreaseRequest = route({
  operationId: "getIncreaseRequest",
  method: "GET",
  path: "/v1/admin/spend_limit_increase_requests/{spend_limit_increase_request_id}",
  summary: "Get an increase request",
  action: "spend_limits:request",
  audited: null,
  params,
  response: increaseRequest,
});

export const withdrawIncreaseRequest = route({
  operationId: "withdrawIncreaseRequest",
  method: "POST",
  path: "/v1/admin/spend_limit_increase_requests/{spend_limit_increase_request_id}/withdraw",
  summary: "Withdraw an increase request",
  description:
    "Only the requester can withdraw it, and the owner of a personal key that requested.",
  action: "spend_limits:request",
  audited: "increase_request.withdrawn",
  params,
  response: increaseRequest,
});

export const approveIncreaseRequest = route({
  operationId: "approveIncreaseRequest",
  method: "POST",
  path: "/v1/admin/spend_limit_increase_requests/{spend_limit_increase_request_id}/approve",
  summary: "Approve an increase request",
  description:
    "Raises the limit in the same transaction, and notifies the requester by e-mail. Raises the values of the caller's rank and of lower ones that are below the amount. A member whose limit is the default cap of a group gets an own value. Enforcement stays the same. A limit that is already higher or removed is a 400. A lower value of a higher rank is a 403. So is a request of the caller: of the same member, of a key that the member owns or created, or of a key behind the calling key. Only the operator can approve every request.",
  action: "spend_limits:write",
  audited: "increase_request.approved",
  stepUp: true,
  params,
  body: z.strictObject({
    amount_usd: usdAmount.optional().meta({ description: "Default: the requested limit." }),
    answer,
  }),
  response: increaseRequest,
});

export const denyIncreaseRequest = route({
  operationId: "denyIncreaseRequest",
  method: "POST",
  path: "/v1/admin/spend_limit_increase_requests/{spend_limit_increase_request_id}/deny",
  summary: "Deny an increase request",
  description: "Notifies the requester by e-mail. A denied request stays denied.",
  action: "spend_limits:write",
  audited: "increase_request.denied",
  stepUp: true,
  params,
  body: z.strictObject({ answer }),
  response: increaseRequest,
});

// The official shape has no reason. Its amounts are in cents.

const officialActor = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("user_actor"),
    user_id: memberId,
    name: z.string().nullable(),
    email_address: z.string().nullable(),
    deleted: z.boolean(),
  }),
  z.object({ type: z.literal("scoped_api_key_actor"), scoped_api_key_id: z.string() }),
]);
const officialStatus = z.enum(["pending", "approved", "denied"]);

export const officialIncreaseRequest = z
  .object({
    id: increaseRequestId,
    type: z.literal("spend_limit_increase_request"),
    actor: officialActor,
    created_at: timestamp,
    period: z.enum(periods),
    resolved_at: timestamp.nullable(),
    resolved_by: officialActor.nullable(),
    spend_summary: z
      .object({
        actor: officialActor,
        amount: z.string().nullable(),
        currency: z.literal("USD"),
        period: z.enum(periods),
        period_to_date_spend: z.string(),
        scope: officialSpendLimit.shape.scope,
        source: officialSpendLimit.shape.scope,
        spend_limit_id: z.string(),
      })
      .nullable(),
    status: officialStatus,
  })
  .meta({ id: "OfficialIncreaseRequest" });

export const listOfficialIncreaseRequests = route({
  operationId: "listOfficialIncreaseRequests",
  method: "GET",
  path: "/v1/organizations/spend_limit_increase_requests",
  summary: "List increase requests (official shape)",
  description: "Newest first. Withdrawn requests and requests of removed members are omitted.",
  action: "spend_limits:write",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    actor_ids: queryList(memberId),
    status: queryList(officialStatus),
  }),
  response: pageCursor(officialIncreaseRequest),
});

export const getOfficialIncreaseRequest = route({
  operationId: "getOfficialIncreaseRequest",
  method: "GET",
  path: "/v1/organizations/spend_limit_increase_requests/{spend_limit_increase_request_id}",
  summary: "Get an increase request (official shape)",
  action: "spend_limits:write",
  audited: null,
  params,
  response: officialIncreaseRequest,
});

const expectedCents = 'expected whole US cents as text, such as "50000" for $500.00';
const suppressNotification = z.boolean().default(false);

export const approveOfficialIncreaseRequest = route({
  operationId: "approveOfficialIncreaseRequest",
  method: "POST",
  path: "/v1/organizations/spend_limit_increase_requests/{spend_limit_increase_request_id}/approve",
  summary: "Approve an increase request (official shape)",
  description:
    "Sets the limit of the request's scope. The official server sets a limit of the person instead. `period` can only be that of the request. Limits of a key, a tag and a whole group have no official shape, so `spend_limit` is null.",
  action: "spend_limits:write",
  audited: "increase_request.approved",
  stepUp: true,
  params,
  body: z.strictObject({
    amount: z.string({ error: expectedCents }).regex(/^\d{1,11}$/, expectedCents),
    period: z.enum(periods).nullable().optional(),
    suppress_notification: suppressNotification,
  }),
  response: officialIncreaseRequest.extend({ spend_limit: officialSpendLimit.nullable() }),
});

export const denyOfficialIncreaseRequest = route({
  operationId: "denyOfficialIncreaseRequest",
  method: "POST",
  path: "/v1/organizations/spend_limit_increase_requests/{spend_limit_increase_request_id}/deny",
  summary: "Deny an increase request (official shape)",
  action: "spend_limits:write",
  audited: "increase_request.denied",
  stepUp: true,
  params,
  body: z.strictObject({ suppress_notification: suppressNotification }),
  response: officialIncreaseRequest,
});

export const increaseRequestRoutes = [
  createIncreaseRequest,
  listIncreaseRequests,
  getIncreaseRequest,
  withdrawIncreaseRequest,
  approveIncreaseRequest,
  denyIncreaseRequest,
  listOfficialIncreaseRequests,
  getOfficialIncreaseRequest,
  approveOfficialIncreaseRequest,
  denyOfficialIncreaseRequest,
] as const;
