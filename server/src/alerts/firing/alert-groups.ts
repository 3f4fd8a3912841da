import { MAX_ACKNOWLEDGED } from "@bursar/contract/admin/alert-groups.ts";
import type { AlertKind } from "@bursar/contract/admin/alerts.ts";
import type { Call } from "#src/access/call.ts";
import { queueAcknowledgement } from "#src/alerts/channels/queue-deliveries.ts";
import {
  type AlertDeps,
  checkCanChange,
  checkScopeFilters,
  visibilityOf,
} from "#src/alerts/rules/alerts.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import { groupNotFound, parseGroupId } from "./alert-group-id.ts";
import {
  type AlertGroupFilter,
  type AlertGroupOrder,
  type AlertGroupRow,
  addCoveredFirings,
  findFiringWorkspaces,
  findGroupWorkspaces,
  listGroups,
  listOpenOfGroups,
  lockOpenFirings,
} from "./alert-groups.sql.ts";
import { saveAcknowledgement } from "./firing-history.sql.ts";
import { firingNotFound } from "./firing-history.ts";

export interface AlertGroupQuery {
  state?: AlertGroupFilter["state"] | undefined;
  order?: AlertGroupOrder | undefined;
  kinds?: readonly AlertKind[] | undefined;
  workspace_id?: string | undefined;
  api_key_id?: string | undefined;
  is_over?: boolean | undefined;
  is_superseded?: boolean | undefined;
}

/** Throws a 404 for a workspace or key that the caller cannot see. */
export async function listAlertGroups(
  deps: AlertDeps,
  { caller }: Call,
  query: AlertGroupQuery,
  page: PageRequest,
): Promise<PageOfRows<AlertGroupRow>> {
  await checkScopeFilters(deps, caller, query);
  const filter = {
    ...visibilityOf(caller),
    state: query.state ?? "open",
    kinds: query.kinds,
    workspaceId: query.workspace_id,
    apiKeyId: query.api_key_id,
    isOver: query.is_over,
    isSuperseded: query.is_superseded,
    now: new Date(deps.nowMs()),
  };
  const order = query.order ?? "newest";
  // Any client can encode a cursor.
  if (order === "severity" && page.from !== null && !/^[0-2]\./.test(page.from.id)) {
    throw refuseField("page", "this is not a cursor of this list.", "invalid_cursor");
  }
  const rows = await listGroups(deps.database, { filter, order, page });
  return toPage(rows, page, ({ lastFiredAt, severityRank, kind, scopeType, scopeId }) => {
    const key = `${kind}.${scopeType}.${scopeId}`;
    const id = order === "severity" ? `${severityRank}.${key}` : key;
    return { createdAtMs: lastFiredAt.getTime(), id };
  });
}

export interface Acknowledgement {
  alert_firing_ids?: readonly string[] | undefined;
  alert_group_ids?: readonly string[] | undefined;
  fired_at_lte?: string | undefined;
  note: string;
}

/**
 * Acknowledges open firings by their ids, with those that they cover, or by their groups, the newest first. Throws a 404 for a hidden firing or group, and a 403 without permission in a workspace of one of them.
 */
export function acknowledgeFirings(
  deps: AlertDeps,
  { caller, origin }: Call,
  input: Acknowledgement,
): Promise<{ acknowledged: number; has_more: boolean }> {
  const now = new Date(deps.nowMs());
  const note = input.note === "" ? null : input.note;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const { ids, hasMore } = await findRequested(tx, caller, input);
    const open = await lockOpenFirings(tx, ids);
    const [first] = open;
    const result = { acknowledged: open.length, has_more: hasMore };
    if (first === undefined) return { result, audit: "unchanged" };
    const openIds = open.map(({ id }) => id);
    await saveAcknowledgement(tx, {
      ids: openIds,
      by: { type: caller.kind, id: caller.id },
      note,
      now,
    });
    await queueAcknowledgement(tx, openIds);
    const workspaceIds = new Set(open.map(({ workspaceId }) => workspaceId));
    return {
      result,
      audit: {
        event: "alert_firing.several_acknowledged",
        subject: { type: "alert_firing", id: first.id },
        // An event about several workspaces belongs to the organization.
        workspaceId: workspaceIds.size === 1 ? first.workspaceId : null,
        before: { alert_firing_ids: openIds, acknowledged_at: null },
        after: { alert_firing_ids: openIds, acknowledged_at: now.toISOString(), note },
      },
    };
  });
}

async function findRequested(
  tx: Tx,
  caller: Caller,
  { alert_firing_ids: ids, alert_group_ids: groupIds, fired_at_lte: until }: Acknowledgement,
): Promise<{ ids: readonly string[]; hasMore: boolean }> {
  if ((ids === undefined) === (groupIds === undefined)) {
    throw refuseFields("Send either alert_firing_ids or alert_group_ids.", [
      "alert_firing_ids",
      "alert_group_ids",
    ]);
  }
  const visibility = visibilityOf(caller);
  if (ids !== undefined) {
    const workspaces = await findFiringWorkspaces(tx, visibility, ids);
    if (!ids.every((id) => workspaces.has(id))) throw firingNotFound();
    checkWorkspaces(caller, workspaces.values());
    return { ids: await addCoveredFirings(tx, ids), hasMore: false };
  }
  const groups = [...new Set(groupIds)].map(parseGroupId);
  for (const group of groups) {
    const workspaceIds = await findGroupWorkspaces(tx, visibility, group);
    if (workspaceIds.length === 0) throw groupNotFound();
    checkWorkspaces(caller, workspaceIds);
  }
  const found = await listOpenOfGroups(tx, visibility, {
    groups,
    until: until === undefined ? null : new Date(until),
    limit: MAX_ACKNOWLEDGED,
  });
  return { ids: found.slice(0, MAX_ACKNOWLEDGED), hasMore: found.length > MAX_ACKNOWLEDGED };
}

function checkWorkspaces(caller: Caller, workspaceIds: Iterable<string | null>): void {
  for (const workspaceId of new Set(workspaceIds)) checkCanChange(caller, workspaceId);
}
