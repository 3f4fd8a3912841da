import type { apiKey, apiKeyRoutes, officialApiKey } from "@bursar/contract/admin/api-keys.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { toWireMaker } from "#src/domain/caller.ts";
import { nextCursor, toOfficialPage } from "#src/domain/page-position.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";
import {
  createApiKey,
  filtersOf,
  getApiKey,
  listApiKeys,
  listApiKeysByIds,
  statusOf,
  updateApiKey,
} from "./api-keys.ts";

export function makeApiKeyHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof apiKeyRoutes)[number], Call> {
  const toWire = (row: ApiKeyRow) => toApiKey(row, deps.nowMs());
  const toOfficialWire = (row: ApiKeyRow) => toOfficialApiKey(row, deps.nowMs());
  return {
    createApiKey: async (call, { body }) => {
      const { row, secret } = await createApiKey(deps, call, body);
      return { ...toWire(row), key: secret };
    },
    listApiKeys: async (call, { query }) => {
      const page = await listApiKeys(deps, call, query);
      const next_page = nextCursor(page, filtersOf(query), positionOf);
      return { data: page.rows.map(toWire), next_page };
    },
    getApiKey: async (call, { params }) => toWire(await getApiKey(deps, call, params.api_key_id)),
    updateApiKey: async (call, { params, body }) =>
      toWire(await updateApiKey(deps, call, params.api_key_id, body)),

    listOfficialApiKeys: async (call, { query }) =>
      toOfficialPage(await listApiKeysByIds(deps, call, query), toOfficialWire),
    getOfficialApiKey: async (call, { params }) =>
      toOfficialWire(await getApiKey(deps, call, params.api_key_id)),
    updateOfficialApiKey: async (call, { params, body }) =>
      toOfficialWire(await updateApiKey(deps, call, params.api_key_id, body)),
  };
}

function positionOf(row: ApiKeyRow) {
  return { createdAtMs: row.created_at.getTime(), id: row.id };
}

function toApiKey(row: ApiKeyRow, nowMs: number): z.input<typeof apiKey> {
  return {
    id: row.id,
    type: "api_key",
    name: row.name,
    workspace_id: row.workspace_id,
    permissions: [row.permission],
    status: statusOf(row, nowMs),
    partial_key_hint: row.partial_key_hint,
    created_by: toWireMaker(row),
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
  };
}

function toOfficialApiKey(row: ApiKeyRow, nowMs: number): z.input<typeof officialApiKey> {
  return {
    id: row.id,
    type: "api_key",
    name: row.name,
    status: statusOf(row, nowMs),
    created_at: row.created_at.toISOString(),
    created_by: row.created_by_type === "member" ? { id: row.created_by_id, type: "user" } : null,
    expires_at: row.expires_at?.toISOString() ?? null,
    partial_key_hint: row.partial_key_hint,
    principal: null,
    scope: { type: "workspace", workspace_id: row.workspace_id },
    workspace_id: row.workspace_id,
  };
}
