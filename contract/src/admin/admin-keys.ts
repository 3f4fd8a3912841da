import { z } from "zod";
import { instant, nameText, optionalQuery, timestamp } from "../fields.ts";
import { adminKeyId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const status = z.enum(["active", "inactive", "expired", "revoked"]).meta({
  description:
    "`inactive`: a restored backup brought it back, and nobody has confirmed it yet; see `bursar restore confirm-keys`.",
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
    created_at: timestamp,
    expires_at: timestamp.nullable(),
    revoked_at: timestamp.nullable(),
    last_used: z.object({ at: timestamp, address: z.string().nullable() }).nullable().meta({
      description:
        "The newest use, at most a minute late. Null: none was noted; uses are noted since the key was made, or since the server notes them.",
    }),
  })
  .meta({ id: "AdminKey" });

export const createdAdminKey = z
  .object({
    ...adminKey.shape,
    key: z.string().meta({
      description: "The secret, `sk-ant-admin01-…`. Shown this once: only its hash is kept.",
    }),
  })
  .meta({ id: "CreatedAdminKey" });

export const createAdminKey = route({
  operationId: "createAdminKey",
  method: "POST",
  path: "/v1/admin/admin_keys",
  summary: "Create an admin key",
  action: "admin_keys:write",
  audited: "admin_key.created",
  stepUp: true,
  body: z.strictObject({ name: nameText, expires_at: instant.nullable().optional() }),
  response: createdAdminKey,
});

export const listAdminKeys = route({
  operationId: "listAdminKeys",
  method: "GET",
  path: "/v1/admin/admin_keys",
  summary: "List admin keys",
  description: "Newest first, revoked and expired ones included.",
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
    "Cannot be undone. A key may revoke itself, and the last one may be revoked: new ones are made on the server's own machine.",
  action: "admin_keys:write",
  audited: "admin_key.revoked",
  params: adminKeyParams,
  response: adminKey,
});

export const adminKeyRoutes = [createAdminKey, listAdminKeys, getAdminKey, revokeAdminKey] as const;
