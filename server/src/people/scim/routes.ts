import {
  listScimTokens as listScimTokensRoute,
  type scimToken,
  type scimTokenRoutes,
} from "@bursar/contract/admin/scim-tokens.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { toWireMaker } from "#src/domain/caller.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import type { ScimTokenRow } from "./tokens.sql.ts";
import {
  createToken,
  listTokens,
  type NewToken,
  revokeToken,
  rotateToken,
  statusOf,
} from "./tokens.ts";

export function makeScimTokenHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof scimTokenRoutes)[number], Call> {
  const toWire = (row: ScimTokenRow) => toScimToken(row, deps.nowMs());
  const withSecret = ({ row, secret }: NewToken) => ({ ...toWire(row), token: secret });
  return {
    listScimTokens: pagedList(
      listScimTokensRoute,
      (call, { params }, page) => listTokens(deps, call, params.directory_id, page),
      toWire,
    ),
    createScimToken: async (call, { params }) =>
      withSecret(await createToken(deps, call, params.directory_id)),
    rotateScimToken: async (call, { params, body }) => {
      const place = { directoryId: params.directory_id, id: params.scim_token_id };
      return withSecret(await rotateToken(deps, call, place, body.grace_period_seconds));
    },
    revokeScimToken: async (call, { params }) => {
      const place = { directoryId: params.directory_id, id: params.scim_token_id };
      return toWire(await revokeToken(deps, call, place));
    },
  };
}

function toScimToken(row: ScimTokenRow, nowMs: number): z.input<typeof scimToken> {
  return {
    id: row.id,
    type: "scim_token",
    directory_id: row.directory_id,
    status: statusOf(row, nowMs),
    partial_token_hint: row.partial_token_hint,
    created_by: toWireMaker(row),
    created_at: row.created_at.toISOString(),
    expires_at: row.valid_until?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
  };
}
