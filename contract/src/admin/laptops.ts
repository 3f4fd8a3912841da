import { z } from "zod";
import { nameText, optionalQuery, timestamp } from "../fields.ts";
import { apiKeyId, laptopId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

// Laptops: sign-ins of Claude Code. A member approves a sign-in by the code that Claude Code shows.

const laptopParams = z.strictObject({ laptop_id: laptopId });
const laptopStatus = z.enum(["active", "ended"]);
const endReasons = ["ended", "ended_by_admin", "signed_out", "replayed", "restored"] as const;

export const laptop = z
  .object({
    id: laptopId,
    type: z.literal("laptop"),
    name: z.string(),
    member: z.object({ id: memberId, name: z.string(), email: z.string() }),
    workspace_id: workspaceId,
    api_key_id: apiKeyId.meta({ description: "Claude Code key whose usage and limits apply." }),
    client_version: z.string().nullable().meta({
      description: "Version of Claude Code at the sign-in, as the client claims. Null: unknown.",
    }),
    ip_address: z.string().nullable().meta({ description: "Address of the sign-in." }),
    status: laptopStatus.meta({
      description: "`ended` also after 90 days without a request for tokens.",
    }),
    end_reason: z.enum(endReasons).nullable().meta({
      description: "Null: not ended, or ended by time. `replayed`: an old refresh token was used.",
    }),
    last_used: z
      .object({ at: timestamp, address: z.string().nullable(), model: z.string().nullable() })
      .nullable()
      .meta({ description: "Last Claude request, at most a minute late. Null: none." }),
    created_at: timestamp,
    expires_at: timestamp.nullable().meta({ description: "End of the laptop. Null: no end yet." }),
  })
  .meta({ id: "Laptop" });

export const listLaptops = route({
  operationId: "listLaptops",
  method: "GET",
  path: "/v1/admin/laptops",
  summary: "List laptops",
  description: "Lists the sign-ins of Claude Code of all members, newest first.",
  action: "members:write",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    member_id: optionalQuery(memberId),
    workspace_id: optionalQuery(workspaceId),
    status: optionalQuery(laptopStatus),
  }),
  response: pageCursor(laptop),
});

export const endLaptop = route({
  operationId: "endLaptop",
  method: "DELETE",
  path: "/v1/admin/laptops/{laptop_id}",
  summary: "End a laptop of a member",
  description:
    "Its tokens stop within a second on every node. Running requests continue. The member can sign in again.",
  action: "members:write",
  audited: "laptop.ended",
  params: laptopParams,
  response: laptop,
});

export const listOwnLaptops = route({
  operationId: "listOwnLaptops",
  method: "GET",
  path: "/v1/admin/my_laptops",
  summary: "List your own laptops",
  description: "Newest first, with those that ended in the last 90 days.",
  action: "self:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, status: optionalQuery(laptopStatus) }),
  response: pageCursor(laptop),
});

export const renameOwnLaptop = route({
  operationId: "renameOwnLaptop",
  method: "POST",
  path: "/v1/admin/my_laptops/{laptop_id}",
  summary: "Rename your own laptop",
  action: "self:write",
  audited: "laptop.renamed",
  params: laptopParams,
  body: z.strictObject({ name: nameText }),
  response: laptop,
});

export const endOwnLaptop = route({
  operationId: "endOwnLaptop",
  method: "DELETE",
  path: "/v1/admin/my_laptops/{laptop_id}",
  summary: "End your own laptop",
  description: "Its tokens stop within a second on every node. Running requests continue.",
  action: "self:write",
  audited: "laptop.ended",
  params: laptopParams,
  response: laptop,
});

const MAX_USER_CODE = 20;
/** Read without its hyphen and in any case. The server answers every unknown text with the same 404. */
const userCode = z
  .string()
  .min(1)
  .max(MAX_USER_CODE)
  .regex(/^[ -~]+$/, "expected a code")
  .meta({ description: "Code that Claude Code shows, such as `WDJB-MJHT`." });
const codeParams = z.strictObject({ user_code: userCode });

export const deviceAuthorization = z
  .object({
    user_code: z.string(),
    type: z.literal("device_authorization"),
    client_version: z.string().nullable().meta({
      description: "Version of Claude Code, as the client claims. Null: unknown.",
    }),
    ip_address: z.string().nullable().meta({ description: "Address of the client." }),
    created_at: timestamp,
    expires_at: timestamp,
  })
  .meta({ id: "DeviceAuthorization" });

export const getDeviceAuthorization = route({
  operationId: "getDeviceAuthorization",
  method: "GET",
  path: "/v1/admin/device_authorizations/{user_code}",
  summary: "Look up the code of a sign-in",
  description:
    "Binds the code to the caller's session, so that no other session can approve it. A code works for ten minutes. Wrong codes are limited by address and by member.",
  action: "self:read",
  audited: null,
  params: codeParams,
  response: deviceAuthorization,
});

export const approveDeviceAuthorization = route({
  operationId: "approveDeviceAuthorization",
  method: "POST",
  path: "/v1/admin/device_authorizations/{user_code}/approve",
  summary: "Approve a sign-in of Claude Code",
  description:
    "Creates a laptop of the caller in the workspace, which the caller could create a personal key in: see the route `getPersonalKeyOptions`. The caller must have looked the code up in the same session. The laptop ends at the maximum lifetime of keys.",
  action: "personal_keys:write",
  audited: "laptop.created",
  stepUp: true,
  params: codeParams,
  body: z.strictObject({ workspace_id: workspaceId, name: nameText.optional() }),
  response: laptop,
});

export const denyDeviceAuthorization = route({
  operationId: "denyDeviceAuthorization",
  method: "POST",
  path: "/v1/admin/device_authorizations/{user_code}/deny",
  summary: "Deny a sign-in of Claude Code",
  description: "The client stops asking. The caller must have looked the code up before.",
  action: "self:write",
  audited: "laptop.denied",
  params: codeParams,
  response: z.object({ user_code: z.string(), type: z.literal("device_authorization_denied") }),
});

export const laptopRoutes = [
  listLaptops,
  endLaptop,
  listOwnLaptops,
  renameOwnLaptop,
  endOwnLaptop,
  getDeviceAuthorization,
  approveDeviceAuthorization,
  denyDeviceAuthorization,
] as const;
