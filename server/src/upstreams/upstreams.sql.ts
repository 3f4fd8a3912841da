import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";
import { lockOrganization } from "#src/access/limited-scope.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { UpstreamSettings } from "#src/db/tables.ts";

export interface UpstreamRow {
  id: string;
  name: string;
  base_url: string;
  credential_sealed: Uint8Array | null;
  credential_hint: string | null;
  provider: UpstreamProvider;
  settings: UpstreamSettings;
  extra_headers_sealed: Uint8Array | null;
  extra_header_names: string[];
  proxy_url: string | null;
  proxy_credential_sealed: Uint8Array | null;
  upstream_workspace_id: string | null;
  default_position: number | null;
  created_at: Date;
  updated_at: Date;
}

const columns = [
  "id",
  "name",
  "base_url",
  "credential_sealed",
  "credential_hint",
  "provider",
  "settings",
  "extra_headers_sealed",
  "extra_header_names",
  "proxy_url",
  "proxy_credential_sealed",
  "upstream_workspace_id",
  "default_position",
  "created_at",
  "updated_at",
] as const;

export async function insertUpstream(
  tx: Tx,
  organizationId: string,
  row: UpstreamRow,
): Promise<void> {
  await tx
    .insertInto("upstream")
    .values({
      ...row,
      settings: JSON.stringify(row.settings),
      organization_id: organizationId,
    })
    .execute();
}

/** Lists the upstreams of the organization, newest first. */
export function listUpstreams(db: Database | Tx, organizationId: string): Promise<UpstreamRow[]> {
  return db
    .selectFrom("upstream")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

export async function findUpstream(
  db: Database | Tx,
  of: { organizationId: string; id: string },
): Promise<UpstreamRow | null> {
  const row = await db
    .selectFrom("upstream")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

/** Finds an upstream and locks it until the transaction ends. */
export async function findUpstreamForUpdate(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<UpstreamRow | null> {
  const row = await tx
    .selectFrom("upstream")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export async function updateUpstream(
  tx: Tx,
  organizationId: string,
  row: UpstreamRow,
): Promise<void> {
  await tx
    .updateTable("upstream")
    .set({
      name: row.name,
      base_url: row.base_url,
      settings: JSON.stringify(row.settings),
      credential_sealed: row.credential_sealed,
      credential_hint: row.credential_hint,
      extra_headers_sealed: row.extra_headers_sealed,
      extra_header_names: row.extra_header_names,
      proxy_url: row.proxy_url,
      proxy_credential_sealed: row.proxy_credential_sealed,
      upstream_workspace_id: row.upstream_workspace_id,
      updated_at: row.updated_at,
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", row.id)
    .execute();
}

export async function deleteUpstream(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<void> {
  await tx
    .deleteFrom("upstream")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}

/** Locks the upstreams of the organization against changes of their set and order. Returns them. */
export async function lockUpstreams(tx: Tx, organizationId: string): Promise<UpstreamRow[]> {
  await lockOrganization(tx, organizationId);
  return listUpstreams(tx, organizationId);
}

/** Returns the names of workspaces with this upstream in their order. */
export function listWorkspacesUsing(
  tx: Tx,
  upstreamId: string,
): Promise<{ id: string; name: string }[]> {
  return tx
    .selectFrom("workspace_upstream")
    .innerJoin("workspace", "workspace.id", "workspace_upstream.workspace_id")
    .select(["workspace.id", "workspace.name"])
    .where("upstream_id", "=", upstreamId)
    .orderBy("workspace.name")
    .execute();
}

/** Sets the default order. Upstreams that are left out have no place. */
export async function saveDefaultOrder(
  tx: Tx,
  organizationId: string,
  ids: readonly string[],
): Promise<void> {
  await tx
    .updateTable("upstream")
    .set({ default_position: null })
    .where("organization_id", "=", organizationId)
    .execute();
  for (const [position, id] of ids.entries()) {
    await tx
      .updateTable("upstream")
      .set({ default_position: position })
      .where("organization_id", "=", organizationId)
      .where("id", "=", id)
      .execute();
  }
}

/** Returns the ids of a workspace's own order. Empty: it follows the default order. */
export async function listWorkspaceOrder(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string },
): Promise<string[]> {
  const rows = await db
    .selectFrom("workspace_upstream")
    .select("upstream_id")
    .where("organization_id", "=", of.organizationId)
    .where("workspace_id", "=", of.workspaceId)
    .orderBy("position")
    .execute();
  return rows.map(({ upstream_id }) => upstream_id);
}

/** Replaces the order of a workspace. An empty list removes it. */
export async function saveWorkspaceOrder(
  tx: Tx,
  { organizationId, workspaceId }: { organizationId: string; workspaceId: string },
  ids: readonly string[],
): Promise<void> {
  await tx
    .deleteFrom("workspace_upstream")
    .where("organization_id", "=", organizationId)
    .where("workspace_id", "=", workspaceId)
    .execute();
  if (ids.length === 0) return;
  const rows = ids.map((upstream_id, position) => ({
    organization_id: organizationId,
    workspace_id: workspaceId,
    position,
    upstream_id,
  }));
  await tx.insertInto("workspace_upstream").values(rows).execute();
}

/** Finds the version of the order of a workspace. Null workspace: the default order. */
export async function findOrderVersion(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string | null },
): Promise<number> {
  const row = await db
    .selectFrom("upstream_order_version")
    .select("version")
    .where("organization_id", "=", of.organizationId)
    .where("workspace_id", "=", of.workspaceId ?? "")
    .executeTakeFirst();
  return row?.version ?? 1;
}

/** Raises the version of an order. Returns the new one. */
export async function raiseOrderVersion(
  tx: Tx,
  of: { organizationId: string; workspaceId: string | null },
): Promise<number> {
  const { version } = await tx
    .insertInto("upstream_order_version")
    .values({
      organization_id: of.organizationId,
      workspace_id: of.workspaceId ?? "",
      version: 2,
    })
    .onConflict((conflict) =>
      conflict.columns(["organization_id", "workspace_id"]).doUpdateSet((eb) => ({
        version: eb("upstream_order_version.version", "+", 1),
      })),
    )
    .returning("version")
    .executeTakeFirstOrThrow();
  return version;
}

/** True if the organization has this workspace. */
export async function hasWorkspace(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string },
): Promise<boolean> {
  const row = await db
    .selectFrom("workspace")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.workspaceId)
    .executeTakeFirst();
  return row !== undefined;
}
