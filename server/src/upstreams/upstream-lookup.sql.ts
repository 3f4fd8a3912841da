import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inSnapshot } from "#src/db/transaction.ts";

/** A stored upstream as the gateway needs it. */
export interface StoredUpstream {
  id: string;
  organizationId: string;
  provider: UpstreamProvider;
  /** Values that the provider needs. No secrets. */
  settings: Readonly<Record<string, unknown>>;
  baseUrl: string;
  /** Sealed with the context `upstream:<id>:<origin>`. Null after a change of the URL, until it is set again. */
  credentialSealed: Uint8Array | null;
  /** Sealed with the context `upstream-headers:<id>:<origin>`. Null: none. */
  extraHeadersSealed: Uint8Array | null;
  /** Address of the proxy. Null: the proxy of the environment, if there is one. */
  proxyUrl: string | null;
  /** Sealed with the context `upstream-proxy:<id>:<origin of the proxy>`. Null: none. */
  proxyCredentialSealed: Uint8Array | null;
  /** Workspace at the provider. Null: the credential belongs to one. */
  upstreamWorkspaceId: string | null;
  /** Place in the default order. Null: in no default order. */
  defaultPosition: number | null;
}

/** All stored upstreams, and the orders of workspaces. */
export interface StoredUpstreams {
  /** Oldest first. */
  upstreams: readonly StoredUpstream[];
  /** Ids of upstreams by workspace, in order. */
  workspaceOrders: ReadonlyMap<string, readonly string[]>;
}

/** Reads the upstreams of the installation. */
export function findStoredUpstreams(db: Database): Promise<StoredUpstreams> {
  return inSnapshot(db, async (tx) => ({
    upstreams: await listAll(tx),
    workspaceOrders: await listOrders(tx),
  }));
}

async function listAll(tx: Tx): Promise<StoredUpstream[]> {
  const rows = await tx
    .selectFrom("upstream")
    .selectAll()
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    provider: row.provider,
    settings: row.settings,
    baseUrl: row.base_url,
    credentialSealed: row.credential_sealed,
    extraHeadersSealed: row.extra_headers_sealed,
    proxyUrl: row.proxy_url,
    proxyCredentialSealed: row.proxy_credential_sealed,
    upstreamWorkspaceId: row.upstream_workspace_id,
    defaultPosition: row.default_position,
  }));
}

async function listOrders(tx: Tx): Promise<Map<string, string[]>> {
  const rows = await tx
    .selectFrom("workspace_upstream")
    .select(["workspace_id", "upstream_id"])
    .orderBy("workspace_id")
    .orderBy("position")
    .execute();
  const orders = new Map<string, string[]>();
  for (const { workspace_id, upstream_id } of rows) {
    const order = orders.get(workspace_id);
    if (order === undefined) orders.set(workspace_id, [upstream_id]);
    else order.push(upstream_id);
  }
  return orders;
}
