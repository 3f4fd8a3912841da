import type { upstream, upstreamRoutes } from "@bursar/contract/admin/upstreams.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { UpstreamRow } from "./upstreams.sql.ts";
import {
  createUpstream,
  deleteUpstream,
  getUpstream,
  listUpstreams,
  type UpstreamDeps,
  updateUpstream,
} from "./upstreams.ts";

export function makeUpstreamHandlers(
  deps: UpstreamDeps,
): HandlersFor<(typeof upstreamRoutes)[number], Call> {
  return {
    listUpstreams: async (call, { query }) => {
      const rows = await listUpstreams(deps, call, query);
      return { data: rows.map(toWire), next_page: null };
    },
    createUpstream: async (call, { body }) => toWire(await createUpstream(deps, call, body)),
    getUpstream: async (call, { params }) =>
      toWire(await getUpstream(deps, call, params.upstream_id)),
    updateUpstream: async (call, { params, body }) =>
      toWire(await updateUpstream(deps, call, params.upstream_id, body)),
    deleteUpstream: async (call, { params }) => {
      await deleteUpstream(deps, call, params.upstream_id);
      return { id: params.upstream_id, type: "upstream_deleted" };
    },
  };
}

function toWire(row: UpstreamRow): z.input<typeof upstream> {
  return {
    id: row.id,
    type: "upstream",
    name: row.name,
    base_url: row.base_url,
    has_credential: row.credential_sealed !== null,
    credential_hint: row.credential_hint,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
