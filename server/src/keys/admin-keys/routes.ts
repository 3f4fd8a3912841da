import {
  type adminKey,
  type adminKeyRoutes,
  listAdminKeys as listAdminKeysRoute,
} from "@bursar/contract/admin/admin-keys.ts";
import { adminKeyScopes } from "@bursar/contract/permissions.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { toWireMaker } from "#src/domain/caller.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { findContact } from "../find-contact.ts";
import type { AdminKeyRow } from "./admin-keys.sql.ts";
import {
  createAdminKey,
  getAdminKey,
  listAdminKeys,
  revokeAdminKey,
  statusOf,
} from "./admin-keys.ts";

export function makeAdminKeyHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof adminKeyRoutes)[number], Call> {
  const toWire = (row: AdminKeyRow) => toAdminKey(row, deps.nowMs());
  return {
    createAdminKey: async (call, { body }) => {
      const { row, secret } = await createAdminKey(deps, call, body);
      return { ...toWire(row), key: secret };
    },
    listAdminKeys: pagedList(
      listAdminKeysRoute,
      (call, { query }, page) => listAdminKeys(deps, call, query, page),
      toWire,
    ),
    getAdminKey: async (call, { params }) =>
      toWire(await getAdminKey(deps, call, params.admin_key_id)),
    revokeAdminKey: async (call, { params }) =>
      toWire(await revokeAdminKey(deps, call, params.admin_key_id)),
  };
}

function toAdminKey(row: AdminKeyRow, nowMs: number): z.input<typeof adminKey> {
  return {
    id: row.id,
    type: "admin_key",
    name: row.name,
    status: statusOf(row, nowMs),
    partial_key_hint: row.partial_key_hint,
    created_by: toWireMaker(row),
    contact_member_id: findContact(row),
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    scopes: row.scopes && adminKeyScopes.filter((scope) => row.scopes?.includes(scope)),
    allowed_addresses: row.allowed_addresses,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    last_used: row.last_used_at && {
      at: row.last_used_at.toISOString(),
      address: row.last_used_address,
    },
  };
}
