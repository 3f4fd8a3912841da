import type { upstreamRoutes } from "@bursar/contract/admin/upstreams.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { checkVersion } from "#src/domain/check-version.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { isSame } from "#src/lib/is-same.ts";
import {
  findOrderVersion,
  hasWorkspace,
  listUpstreams,
  listWorkspaceOrder,
  lockUpstreams,
  raiseOrderVersion,
  saveDefaultOrder,
  saveWorkspaceOrder,
  type UpstreamRow,
} from "./upstreams.sql.ts";

// The order in which the upstreams of an organization are tried, and the own orders of workspaces.

/** Noun of an order in a refusal. */
const NAME = "order of upstreams";

type OrderWire = z.input<
  Extract<(typeof upstreamRoutes)[number], { operationId: "getUpstreamOrder" }>["response"]
>;

/** A new order. `if_version`: version that the caller has seen. */
interface OrderChange<Ids> {
  upstream_ids: Ids;
  if_version?: number | undefined;
}

export async function getUpstreamOrder(
  { database }: AuditDeps,
  { caller: { organizationId } }: Call,
): Promise<OrderWire> {
  const version = await findOrderVersion(database, { organizationId, workspaceId: null });
  return toDefaultOrder(await listUpstreams(database, organizationId), version);
}

/** Throws a 400 for an unknown upstream and for one that is listed twice, and a 409 for another version. */
export function setUpstreamOrder(
  deps: AuditDeps,
  { caller, origin }: Call,
  { upstream_ids: ids, if_version }: OrderChange<readonly string[]>,
): Promise<OrderWire> {
  const { organizationId } = caller;
  const of = { organizationId, workspaceId: null };
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const rows = await lockUpstreams(tx, organizationId);
    checkIds(rows, ids);
    const before = toDefaultOrder(rows, await findOrderVersion(tx, of));
    checkVersion(NAME, before, if_version);
    const after = { ...before, upstream_ids: [...ids] };
    if (isSame(before, after)) return { result: before, audit: "unchanged" };
    await saveDefaultOrder(tx, organizationId, ids);
    after.version = await raiseOrderVersion(tx, of);
    return { result: after, audit: auditOf(organizationId, { before, after }) };
  });
}

/** Throws a 404 for an unknown workspace. */
export async function getWorkspaceUpstreamOrder(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  workspaceId: string,
): Promise<OrderWire> {
  const of = { organizationId, workspaceId };
  if (!(await hasWorkspace(deps.database, of))) throw workspaceNotFound();
  const own = await listWorkspaceOrder(deps.database, of);
  const version = await findOrderVersion(deps.database, of);
  const rows = await listUpstreams(deps.database, organizationId);
  return toWorkspaceOrder(of, { own, version }, rows);
}

/** Sets the order of a workspace. Null: it follows the default one. Throws as `setUpstreamOrder`, and a 404. */
export function setWorkspaceUpstreamOrder(
  deps: AuditDeps,
  { caller, origin }: Call,
  workspaceId: string,
  { upstream_ids, if_version }: OrderChange<readonly string[] | null>,
): Promise<OrderWire> {
  const { organizationId } = caller;
  const of = { organizationId, workspaceId };
  return auditedTransaction(deps, caller, origin, async (tx: Tx) => {
    const rows = await lockUpstreams(tx, organizationId);
    if (!(await hasWorkspace(tx, of))) throw workspaceNotFound();
    const ids = upstream_ids ?? [];
    checkIds(rows, ids);
    const version = await findOrderVersion(tx, of);
    const own = await listWorkspaceOrder(tx, of);
    const before = toWorkspaceOrder(of, { own, version }, rows);
    checkVersion(NAME, before, if_version);
    const after = toWorkspaceOrder(of, { own: ids, version }, rows);
    if (isSame(before, after)) return { result: before, audit: "unchanged" };
    await saveWorkspaceOrder(tx, of, ids);
    after.version = await raiseOrderVersion(tx, of);
    return { result: after, audit: auditOf(organizationId, { before, after }) };
  });
}

function checkIds(rows: readonly UpstreamRow[], ids: readonly string[]): void {
  const known = new Set(rows.map(({ id }) => id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined)
    throw refuseField("upstream_ids", `no upstream has the id ${unknown}.`);
  if (new Set(ids).size < ids.length) throw refuseField("upstream_ids", "an id is listed twice.");
}

function toDefaultOrder(rows: readonly UpstreamRow[], version: number): OrderWire {
  const upstream_ids = listDefaultOrder(rows);
  return { type: "upstream_order", workspace_id: null, upstream_ids, is_default: true, version };
}

function toWorkspaceOrder(
  { workspaceId: workspace_id }: { workspaceId: string },
  { own, version }: { own: readonly string[]; version: number },
  rows: readonly UpstreamRow[],
): OrderWire {
  const is_default = own.length === 0;
  const upstream_ids = is_default ? listDefaultOrder(rows) : [...own];
  return { type: "upstream_order", workspace_id, upstream_ids, is_default, version };
}

/** Returns the ids of the default order. `rows` are newest first, and an older one precedes at the same place. */
function listDefaultOrder(rows: readonly UpstreamRow[]): string[] {
  return rows
    .toReversed()
    .filter(({ default_position }) => default_position !== null)
    .sort((a, b) => (a.default_position ?? 0) - (b.default_position ?? 0))
    .map(({ id }) => id);
}

function workspaceNotFound(): ApiError {
  return new ApiError("resource_not_found", "Workspace not found", {}, { resource: "workspace" });
}

function auditOf(
  organizationId: string,
  { before, after }: { before: OrderWire; after: OrderWire },
): AuditEntry {
  const { workspace_id } = after;
  return {
    event: "upstream_order.updated",
    subject: { type: "upstream_order", id: workspace_id ?? organizationId },
    workspaceId: workspace_id,
    before: { upstream_ids: before.upstream_ids, is_default: before.is_default },
    after: { upstream_ids: after.upstream_ids, is_default: after.is_default },
  };
}
