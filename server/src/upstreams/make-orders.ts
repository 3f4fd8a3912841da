import { ApiError } from "#src/domain/api-error.ts";
import type { MadeUpstream } from "./stored-upstream.ts";
import type { Upstream, UpstreamChoice, UpstreamOrder } from "./upstream.ts";
import type { StoredUpstream } from "./upstream-lookup.sql.ts";

export interface UpstreamOrders extends UpstreamChoice {
  /** The first upstream of the default order. Throws `ApiError("upstream_unusable")` while none can be used. */
  current(): Upstream;
}

/** A stored upstream with its client. */
export type PlacedUpstream = Pick<StoredUpstream, "id" | "organizationId" | "defaultPosition"> & {
  made: MadeUpstream;
};

/** The usable upstreams of an order, or the reason why it has none. */
type ResolvedOrder = { order: UpstreamOrder; refusal: null } | { order: null; refusal: string };

/**
 * Makes the orders of stored upstreams. `rows` are sorted by their age. An order leaves out upstreams that cannot be used. An
 * organization without upstreams is refused, because the credential of another organization is not for it.
 */
export function makeOrders(
  rows: readonly PlacedUpstream[],
  workspaceOrders: ReadonlyMap<string, readonly string[]>,
): UpstreamOrders {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const defaults = new Map<string, ResolvedOrder>();
  for (const organizationId of new Set(rows.map((row) => row.organizationId))) {
    defaults.set(organizationId, resolve(listDefault(rows, organizationId)));
  }
  const workspaces = new Map<string, ResolvedOrder>();
  for (const [workspaceId, ids] of workspaceOrders) {
    const placed = ids.map((id) => byId.get(id)).filter((row) => row !== undefined);
    workspaces.set(workspaceId, resolve(placed));
  }
  const oldest = rows[0]?.organizationId ?? "";

  function getDefault(organizationId: string): UpstreamOrder {
    return getOrder(defaults.get(organizationId) ?? missing);
  }

  return {
    current: () => getDefault(oldest)[0],
    forWorkspace(organizationId, workspaceId) {
      const own = workspaces.get(workspaceId);
      return own === undefined ? getDefault(organizationId) : getOrder(own);
    },
    find(organizationId, id) {
      const row = byId.get(id);
      return row?.organizationId === organizationId ? row.made.upstream : null;
    },
  };
}

const missing: ResolvedOrder = {
  order: null,
  refusal: "The organization has no upstream: an administrator must add one.",
};

function listDefault(rows: readonly PlacedUpstream[], organizationId: string): PlacedUpstream[] {
  return rows
    .filter((row) => row.organizationId === organizationId && row.defaultPosition !== null)
    .sort((a, b) => (a.defaultPosition ?? 0) - (b.defaultPosition ?? 0));
}

function resolve(placed: readonly PlacedUpstream[]): ResolvedOrder {
  const [first, ...others] = placed
    .map(({ made }) => made.upstream)
    .filter((upstream) => upstream !== null);
  if (first !== undefined) return { order: [first, ...others], refusal: null };
  const refusal = placed[0]?.made.refusal;
  return { order: null, refusal: refusal ?? "No upstream is in the order of this workspace." };
}

function getOrder({ order, refusal }: ResolvedOrder): UpstreamOrder {
  if (order !== null) return order;
  throw new ApiError("upstream_unusable", refusal);
}
