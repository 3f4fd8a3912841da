import { z } from "zod";
import { nameText, queryFlag, secretHeaders, timestamp } from "../fields.ts";
import { upstreamId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { providerSettings } from "./provider-settings.ts";

const MAX_URL_LENGTH = 500;
const MAX_CREDENTIAL_LENGTH = 8_000;
const MAX_PROVIDER_ID_LENGTH = 200;
/** Most upstreams of an organization, and so of an order. */
export const MAX_UPSTREAMS = 50;
const baseUrl = z.string().min(1).max(MAX_URL_LENGTH).meta({
  description:
    "https URL. The server appends paths such as /v1/messages. Private addresses are refused unless `BURSAR_ALLOW_PRIVATE_UPSTREAMS` allows them. An allowed loopback address may be http.",
});
const credential = z
  .string()
  .min(1)
  .max(MAX_CREDENTIAL_LENGTH)
  .regex(/^[\x21-\x7e]([\s\x20-\x7e]*[\x21-\x7e])?$/, "expected printable characters")
  .meta({
    description:
      "Key for the Claude API, or the credential that `provider_settings.authentication` describes. Stored encrypted and never shown again.",
  });
const platformSettings = providerSettings.meta({
  description:
    "Settings of Amazon Bedrock, Google Vertex AI or Microsoft Foundry. Without them, the upstream serves the Claude API itself.",
});
const extraHeaders = secretHeaders.meta({
  description:
    "Headers of each request to the upstream, instead of those of the client. Stored encrypted and never shown again.",
});
const proxyUrl = z.string().min(1).max(MAX_URL_LENGTH).meta({
  description:
    "http or https URL of a proxy that opens tunnels (CONNECT), such as http://user:password@proxy.example.com:3128. User and password are stored encrypted. Private addresses are refused unless `BURSAR_ALLOW_PRIVATE_UPSTREAMS` allows them. Null: the proxy of the server's environment, if it has one.",
});
const upstreamWorkspaceId = z
  .string()
  .min(1)
  .max(MAX_PROVIDER_ID_LENGTH)
  .regex(/^[\x21-\x7e]+$/, "expected an id")
  .meta({
    description:
      "Workspace at Anthropic for a credential of several workspaces. Sent as `anthropic-workspace-id`.",
  });
const orderIds = z.array(upstreamId).max(MAX_UPSTREAMS);
/** Providers of the Claude API. */
export const upstreamProviders = ["anthropic", "bedrock", "vertex", "foundry"] as const;
export type UpstreamProvider = (typeof upstreamProviders)[number];
const upstreamParams = z.strictObject({ upstream_id: upstreamId });

export const upstream = z
  .object({
    id: upstreamId,
    type: z.literal("upstream"),
    name: z.string(),
    base_url: z.string(),
    has_credential: z.boolean(),
    credential_hint: z.string().nullable(),
    provider: z.enum(upstreamProviders),
    provider_settings: platformSettings.nullable(),
    extra_header_names: z
      .array(z.string())
      .meta({ description: "Names of its extra headers, in order." }),
    proxy_url: z
      .string()
      .nullable()
      .meta({ description: "Address of its proxy, without user and password." }),
    has_proxy_credential: z.boolean(),
    upstream_workspace_id: z.string().nullable(),
    default_position: z.int().nullable().meta({
      description:
        "Place in the default order, from 0. Null: only workspaces with an order of their own use it.",
    }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Upstream" });

const count = z.int().min(0);
export const upstreamNodeHealth = z
  .object({
    node_id: z.string(),
    state: z.enum(["closed", "open", "half_open"]).meta({
      description:
        "Circuit breaker. `closed`: requests are sent. `open`: requests go to the next upstream. `half_open`: one request tries whether the upstream is back.",
    }),
    answers: count.meta({ description: "Answers since the last change of the upstream." }),
    failures: count.meta({
      description: "No connection, no answer, or a status of 500 or more except 529.",
    }),
    failures_in_row: count,
    last_answer_at: timestamp.nullable(),
    last_failure_at: timestamp.nullable(),
    last_failure: z
      .string()
      .nullable()
      .meta({ description: "Code of the last failure, such as `ECONNREFUSED` or `http_502`." }),
    reported_at: timestamp,
  })
  .meta({ id: "UpstreamNodeHealth" });

const listedUpstream = upstream
  .extend({
    health: z.array(upstreamNodeHealth).nullable().meta({
      description:
        "With `include_health`: one report of each node that is running, a few seconds old. Null: without it.",
    }),
  })
  .meta({ id: "ListedUpstream" });

export const listUpstreams = route({
  operationId: "listUpstreams",
  method: "GET",
  path: "/v1/admin/upstreams",
  summary: "List upstreams",
  action: "upstreams:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    include_health: queryFlag.meta({ description: "Include the health of each upstream." }),
  }),
  response: pageCursor(listedUpstream),
});

export const createUpstream = route({
  operationId: "createUpstream",
  method: "POST",
  path: "/v1/admin/upstreams",
  summary: "Create an upstream",
  description:
    "The new upstream is the last of the default order. Workspaces without an order of their own try the upstreams of that order in turn.",
  action: "upstreams:write",
  audited: "upstream.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    base_url: baseUrl.optional().meta({
      description: "Required without `provider_settings`. Default: the platform's public address.",
    }),
    provider_settings: platformSettings.optional(),
    credential: credential.optional(),
    extra_headers: extraHeaders.optional(),
    proxy_url: proxyUrl.nullable().optional(),
    upstream_workspace_id: upstreamWorkspaceId.nullable().optional(),
  }),
  response: upstream,
});

export const getUpstream = route({
  operationId: "getUpstream",
  method: "GET",
  path: "/v1/admin/upstreams/{upstream_id}",
  summary: "Get an upstream",
  action: "upstreams:read",
  audited: null,
  params: upstreamParams,
  response: upstream,
});

export const updateUpstream = route({
  operationId: "updateUpstream",
  method: "POST",
  path: "/v1/admin/upstreams/{upstream_id}",
  summary: "Update an upstream",
  description:
    "A new `base_url` removes the credential and the extra headers, unless the call sets new ones. `null` removes a value.",
  action: "upstreams:write",
  audited: "upstream.updated",
  stepUp: true,
  params: upstreamParams,
  body: z.strictObject({
    name: nameText.optional(),
    base_url: baseUrl.optional(),
    provider_settings: platformSettings.optional().meta({
      description: "New settings of the same platform, instead of the present ones.",
    }),
    credential: credential.nullable().optional(),
    extra_headers: extraHeaders.nullable().optional(),
    proxy_url: proxyUrl.nullable().optional(),
    upstream_workspace_id: upstreamWorkspaceId.nullable().optional(),
  }),
  response: upstream,
});

export const deleteUpstream = route({
  operationId: "deleteUpstream",
  method: "DELETE",
  path: "/v1/admin/upstreams/{upstream_id}",
  summary: "Delete an upstream",
  description:
    "An upstream in the order of a workspace cannot be deleted, nor one with message batches whose cost is not recorded.",
  action: "upstreams:write",
  audited: "upstream.deleted",
  stepUp: true,
  params: upstreamParams,
  response: z.object({ id: upstreamId, type: z.literal("upstream_deleted") }),
});

export const testUpstream = route({
  operationId: "testUpstream",
  method: "POST",
  path: "/v1/admin/upstreams/{upstream_id}/test",
  summary: "Test an upstream",
  description:
    "Lists one model at the upstream with its credential. At a cloud platform, counts the tokens of a short message. The request costs nothing.",
  action: "upstreams:write",
  audited: "upstream.tested",
  params: upstreamParams,
  response: z.object({
    id: upstreamId,
    type: z.literal("upstream_test"),
    is_working: z.boolean(),
    http_status: z.int().nullable().meta({ description: "Null: no answer." }),
    latency_ms: z.int().min(0),
    problem: z.string().nullable().meta({ description: "Null: the upstream works." }),
  }),
});

export const getStoredUpstreamHealth = route({
  operationId: "getStoredUpstreamHealth",
  method: "GET",
  path: "/v1/admin/upstreams/{upstream_id}/health",
  summary: "Get the health of an upstream on each node",
  action: "upstreams:read",
  audited: null,
  params: upstreamParams,
  response: z.object({
    id: upstreamId,
    type: z.literal("stored_upstream_health"),
    data: z.array(upstreamNodeHealth).meta({
      description: "One report of each node that is running, a few seconds old.",
    }),
  }),
});

const orderVersion = z.int().min(1);
const ifVersion = orderVersion.optional().meta({
  description: "Refuses the change with `version_conflict` if the order has another version now.",
});

const upstreamOrder = z
  .object({
    type: z.literal("upstream_order"),
    workspace_id: workspaceId
      .nullable()
      .meta({ description: "Null: the default order of the organization." }),
    upstream_ids: z.array(upstreamId).meta({ description: "Upstreams in the order of attempts." }),
    is_default: z.boolean().meta({ description: "False: the workspace has an order of its own." }),
    version: orderVersion.meta({
      description:
        "Changes with each update of the order. That of a workspace does not change with the default order.",
    }),
  })
  .meta({ id: "UpstreamOrder" });
const workspaceParams = z.strictObject({ workspace_id: workspaceId });

export const getUpstreamOrder = route({
  operationId: "getUpstreamOrder",
  method: "GET",
  path: "/v1/admin/upstream_order",
  summary: "Get the default order of upstreams",
  action: "upstreams:read",
  audited: null,
  response: upstreamOrder,
});

export const setUpstreamOrder = route({
  operationId: "setUpstreamOrder",
  method: "POST",
  path: "/v1/admin/upstream_order",
  summary: "Set the default order of upstreams",
  description:
    "A request goes to the next upstream if nothing of it reached the one before, or if that one answered 429 or 529. Upstreams that are left out serve only workspaces with an order of their own.",
  action: "upstreams:write",
  audited: "upstream_order.updated",
  stepUp: true,
  body: z.strictObject({ upstream_ids: orderIds, if_version: ifVersion }),
  response: upstreamOrder,
});

export const getWorkspaceUpstreamOrder = route({
  operationId: "getWorkspaceUpstreamOrder",
  method: "GET",
  path: "/v1/admin/workspaces/{workspace_id}/upstream_order",
  summary: "Get the order of upstreams of a workspace",
  action: "upstreams:read",
  audited: null,
  params: workspaceParams,
  response: upstreamOrder,
});

export const setWorkspaceUpstreamOrder = route({
  operationId: "setWorkspaceUpstreamOrder",
  method: "POST",
  path: "/v1/admin/workspaces/{workspace_id}/upstream_order",
  summary: "Set the order of upstreams of a workspace",
  action: "upstreams:write",
  audited: "upstream_order.updated",
  stepUp: true,
  params: workspaceParams,
  body: z.strictObject({
    upstream_ids: orderIds
      .min(1)
      .nullable()
      .meta({ description: "Null: the workspace follows the default order." }),
    if_version: ifVersion,
  }),
  response: upstreamOrder,
});

export const upstreamRoutes = [
  listUpstreams,
  createUpstream,
  getUpstream,
  updateUpstream,
  deleteUpstream,
  testUpstream,
  getStoredUpstreamHealth,
  getUpstreamOrder,
  setUpstreamOrder,
  getWorkspaceUpstreamOrder,
  setWorkspaceUpstreamOrder,
] as const;
