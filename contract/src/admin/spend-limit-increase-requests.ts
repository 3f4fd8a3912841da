import { z } from "zod";
import { optionalQuery, queryList, timestamp, usdAmount, usdText } from "../fields.ts";
import { increaseRequestId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { wireScope } from "../scope.ts";
import { officialSpendLimit } from "./spend-limits.ts";

const MAX_TEXT_LENGTH = 1_000;
const periods = ["daily", "weekly", "monthly"] as const;
const statuses = ["pending", "approved", "denied", "withdrawn"] as const;

const actor = z.object({
  type: z.string(),
  id: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
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
    amount_usd: usdText.meta({ description: "The limit that is asked for." }),
    reason: z.string(),
    limit_usd: usdText.nullable().meta({
      description: "As it is now. Null: there is none, or the caller has left the workspace.",
    }),
    spent_usd: usdText.nullable().meta({
      description: "In the running period. Null: the caller may not see what is spent there.",
    }),
    held_usd: usdText.nullable(),
    status: z.enum(statuses),
    approved_usd: usdText.nullable(),
    answer: z.string().nullable(),
    resolved_by: actor.nullable(),
    can_resolve: z.boolean().meta({ description: "The caller may approve and deny it." }),
    created_at: timestamp,
    resolved_at: timestamp.nullable(),
  })
  .meta({ id: "IncreaseRequest" });

const params = z.strictObject({ spend_limit_increase_request_id: increaseRequestId });
const answer = z.string().trim().max(MAX_TEXT_LENGTH).default("").meta({
  description: "For the requester.",
});

export const createIncreaseRequest = route({
  operationId: "createIncreaseRequest",
  method: "POST",
  path: "/v1/admin/spend_limit_increase_requests",
  summary: "Create an increase request",
  description:
    "Of the organization (for people and admin keys), a workspace of the caller, or an API key that it may see; a workspace key asks for itself or for its workspace. Whoever can set the limit hears of it by mail. Asking again while a request is pending replaces what was asked. At most 20 requests in a day.",
  action: "spend_limits:request",
  audited: "increase_request.created",
  body: z.strictObject({
    scope: wireScope,
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
  description: "Newest first: the caller's own, and those that it may decide about.",
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
  description: "By who asked.",
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
    "Sets the limit, in the same transaction, and tells the requester by mail. Enforcement stays as it is. A limit that is higher by now is not lowered, and one that is gone not made again: 400. Whoever may set the limit may also approve what it asked for itself; the audit event says so.",
  action: "spend_limits:write",
  audited: "increase_request.approved",
  stepUp: true,
  params,
  body: z.strictObject({
    amount_usd: usdAmount.optional().meta({ description: "Omitted: what was asked for." }),
    answer,
  }),
  response: increaseRequest,
});

export const denyIncreaseRequest = route({
  operationId: "denyIncreaseRequest",
  method: "POST",
  path: "/v1/admin/spend_limit_increase_requests/{spend_limit_increase_request_id}/deny",
  summary: "Deny an increase request",
  description: "Tells the requester by mail. A request that was denied stays denied.",
  action: "spend_limits:write",
  audited: "increase_request.denied",
  stepUp: true,
  params,
  body: z.strictObject({ answer }),
  response: increaseRequest,
});

// The official shape knows no reason, and asks and limits in cents.

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
  description:
    "Newest first. Requests that were withdrawn, and those of people who have been removed, are left out.",
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
    "Sets the limit that the request is about: the organization's, a workspace's or a key's, where the official server sets one of the person. `period` can only be that of the request. The limit of a key has no official shape: `spend_limit` is null then.",
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
