import { z } from "zod";
import { instant, nameText, optionalQuery, shownOnce, timestamp } from "../fields.ts";
import { adminKeyId, memberId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { adminKeyScopes } from "../permissions.ts";
import { route } from "../route.ts";
import { allowedAddresses } from "./api-keys.ts";

const status = z.enum(["active", "inactive", "expired", "revoked"]).meta({
  description:
    "`inactive`: a restored backup contained it, and it waits for `bursar restore confirm-keys`.",
});
const scopes = z.array(z.enum(adminKeyScopes)).min(1).nullable().meta({
  description:
    "Scopes that limit the rights of the key, such as `read` or `members`. Null: all rights of an Admin.",
});
const adminKeyParams = z.strictObject({ admin_key_id: adminKeyId });

export const adminKey = z
  .object({
    id: adminKeyId,
    type: z.literal("admin_key"),
    name: z.string(),
    status,
    partial_key_hint: z.string(),
    created_by: z.object({ type: z.string(), id: z.string() }),
    contact_member_id: memberId.nullable().meta({
      description:
        "Member who answers for the key: its creator, or the member who took it over. Null: no member created it.",
    }),
    created_at: timestamp,
    expires_at: timestamp.nullable(),
    scopes,
    allowed_addresses: allowedAddresses,
    revoked_at: timestamp.nullable(),
    last_used: z.object({ at: timestamp, address: z.string().nullable() }).nullable().meta({
      description:
        "Last use, at most a minute late. Null: no use is recorded. Older versions of the server did not record uses.",
    }),
  })
  .meta({ id: "AdminKey" });

export const createdAdminKey = z
  .object({
    ...adminKey.shape,
    key: z.string().meta({
      description: "The secret, `sk-ant-admin01-…`. Shown once. Only its hash is stored.",
      ...shownOnce,
    }),
  })
  .meta({ id: "CreatedAdminKey" });

export const createAdminKey = route({
  operationId: "createAdminKey",
  method: "POST",
  path: "/v1/admin/admin_keys",
  summary: "Create an admin key",
  description:
    "Scopes and addresses cannot change later. A key that an admin key creates has at most its scopes, its addresses and its lifetime. Omitted ones are those of the calling key.",
  action: "admin_keys:write",
  audited: "admin_key.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    expires_at: instant.nullable().optional(),
    scopes: scopes.optional(),
    allowed_addresses: allowedAddresses.optional(),
  }),
  response: createdAdminKey,
});

export const listAdminKeys = route({
  operationId: "listAdminKeys",
  method: "GET",
  path: "/v1/admin/admin_keys",
  summary: "List admin keys",
  description: "Newest first, including revoked and expired keys.",
  action: "admin_keys:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, status: optionalQuery(status) }),
  response: pageCursor(adminKey),
});

export const getAdminKey = route({
  operationId: "getAdminKey",
  method: "GET",
  path: "/v1/admin/admin_keys/{admin_key_id}",
  summary: "Get an admin key",
  action: "admin_keys:read",
  audited: null,
  params: adminKeyParams,
  response: adminKey,
});

export const revokeAdminKey = route({
  operationId: "revokeAdminKey",
  method: "POST",
  path: "/v1/admin/admin_keys/{admin_key_id}/revoke",
  summary: "Revoke an admin key",
  description:
    "Cannot be undone. A key can revoke itself, and the last key can be revoked. Create new keys on the server's own machine.",
  action: "admin_keys:write",
  audited: "admin_key.revoked",
  params: adminKeyParams,
  response: adminKey,
});

export const adminKeyRoutes = [createAdminKey, listAdminKeys, getAdminKey, revokeAdminKey] as const;
