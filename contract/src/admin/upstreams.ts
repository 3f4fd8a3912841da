import { z } from "zod";
import { nameText, timestamp } from "../fields.ts";
import { upstreamId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const MAX_URL_LENGTH = 500;
const MAX_CREDENTIAL_LENGTH = 1000;
const baseUrl = z.string().min(1).max(MAX_URL_LENGTH).meta({
  description:
    "https URL. The server appends paths such as /v1/messages. Private addresses are refused unless `BURSAR_ALLOW_PRIVATE_UPSTREAMS` allows them. An allowed loopback address may be http.",
});
const credential = z
  .string()
  .min(1)
  .max(MAX_CREDENTIAL_LENGTH)
  .regex(/^[\x21-\x7e]+$/, "expected a key without spaces or line breaks")
  .meta({ description: "Key for the Claude API. Stored encrypted and never shown again." });
const upstreamParams = z.strictObject({ upstream_id: upstreamId });

export const upstream = z
  .object({
    id: upstreamId,
    type: z.literal("upstream"),
    name: z.string(),
    base_url: z.string(),
    has_credential: z.boolean(),
    credential_hint: z.string().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Upstream" });

export const listUpstreams = route({
  operationId: "listUpstreams",
  method: "GET",
  path: "/v1/admin/upstreams",
  summary: "List upstreams",
  action: "upstreams:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(upstream),
});

export const createUpstream = route({
  operationId: "createUpstream",
  method: "POST",
  path: "/v1/admin/upstreams",
  summary: "Create the shared upstream",
  description:
    "All workspaces use this upstream for Claude requests. An organization has at most one.",
  action: "upstreams:write",
  audited: "upstream.created",
  stepUp: true,
  body: z.strictObject({ name: nameText, base_url: baseUrl, credential: credential.optional() }),
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
    "A new `base_url` removes the credential, unless the call sets a new one. `credential: null` removes it.",
  action: "upstreams:write",
  audited: "upstream.updated",
  stepUp: true,
  params: upstreamParams,
  body: z.strictObject({
    name: nameText.optional(),
    base_url: baseUrl.optional(),
    credential: credential.nullable().optional(),
  }),
  response: upstream,
});

export const deleteUpstream = route({
  operationId: "deleteUpstream",
  method: "DELETE",
  path: "/v1/admin/upstreams/{upstream_id}",
  summary: "Delete an upstream",
  action: "upstreams:write",
  audited: "upstream.deleted",
  stepUp: true,
  params: upstreamParams,
  response: z.object({ id: upstreamId, type: z.literal("upstream_deleted") }),
});

export const upstreamRoutes = [
  listUpstreams,
  createUpstream,
  getUpstream,
  updateUpstream,
  deleteUpstream,
] as const;
