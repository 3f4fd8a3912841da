import {
  listUpstreams as listUpstreamsRoute,
  type upstreamRoutes,
} from "@bursar/contract/admin/upstreams.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { testUpstream } from "./test-upstream.ts";
import { toHealthWire, toListedWire, toWire } from "./to-wire.ts";
import {
  getUpstreamOrder,
  getWorkspaceUpstreamOrder,
  setUpstreamOrder,
  setWorkspaceUpstreamOrder,
} from "./upstream-orders.ts";
import {
  createUpstream,
  deleteUpstream,
  getUpstream,
  listUpstreamHealth,
  listUpstreams,
  type UpstreamDeps,
  updateUpstream,
} from "./upstreams.ts";

export function makeUpstreamHandlers(
  deps: UpstreamDeps,
): HandlersFor<(typeof upstreamRoutes)[number], Call> {
  return {
    listUpstreams: pagedList(
      listUpstreamsRoute,
      (call, { query: { include_health: hasHealth = false } }, page) =>
        listUpstreams(deps, call, { page, hasHealth }),
      toListedWire,
    ),
    createUpstream: async (call, { body }) => toWire(await createUpstream(deps, call, body)),
    getUpstream: async (call, { params }) =>
      toWire(await getUpstream(deps, call, params.upstream_id)),
    updateUpstream: async (call, { params, body }) =>
      toWire(await updateUpstream(deps, call, params.upstream_id, body)),
    deleteUpstream: async (call, { params }) => {
      await deleteUpstream(deps, call, params.upstream_id);
      return { id: params.upstream_id, type: "upstream_deleted" };
    },
    testUpstream: async (call, { params }) => {
      const tested = await testUpstream(deps, call, params.upstream_id);
      return {
        id: params.upstream_id,
        type: "upstream_test",
        is_working: tested.isWorking,
        http_status: tested.httpStatus,
        latency_ms: tested.latencyMs,
        problem: tested.problem,
      };
    },
    getStoredUpstreamHealth: async (call, { params }) => {
      const nodes = await listUpstreamHealth(deps, call, params.upstream_id);
      return {
        id: params.upstream_id,
        type: "stored_upstream_health",
        data: nodes.map(toHealthWire),
      };
    },
    getUpstreamOrder: (call) => getUpstreamOrder(deps, call),
    setUpstreamOrder: (call, { body }) => setUpstreamOrder(deps, call, body),
    getWorkspaceUpstreamOrder: (call, { params }) =>
      getWorkspaceUpstreamOrder(deps, call, params.workspace_id),
    setWorkspaceUpstreamOrder: (call, { params, body }) =>
      setWorkspaceUpstreamOrder(deps, call, params.workspace_id, body),
  };
}
