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
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { parseGroupId } from "./alert-group-id.ts";
import {
  type FiringRow,
  findFiring,
  listOpenCovered,
  listFirings as listRows,
  saveAcknowledgement,
} from "./firing-history.sql.ts";

export interface FiringQuery {
  alert_id?: string | undefined;
  alert_group_id?: string | undefined;
  kinds?: readonly AlertKind[] | undefined;
  workspace_id?: string | undefined;
  api_key_id?: string | undefined;
  is_acknowledged?: boolean | undefined;
  is_over?: boolean | undefined;
  is_superseded?: boolean | undefined;
  fired_at_gte?: string | undefined;
  fired_at_lt?: string | undefined;
}

/** Throws a 404 for a workspace or key that the caller cannot see. */
export async function listFirings(
  deps: AlertDeps,
  { caller }: Call,
  query: FiringQuery,
  page: PageRequest,
): Promise<PageOfRows<FiringRow>> {
  await checkScopeFilters(deps, caller, query);
  const filter = {
    ...visibilityOf(caller),
    alertId: query.alert_id,
    group: query.alert_group_id === undefined ? undefined : parseGroupId(query.alert_group_id),
    kinds: query.kinds,
    workspaceId: query.workspace_id,
    apiKeyId: query.api_key_id,
    isAcknowledged: query.is_acknowledged,
    isOver: query.is_over,
    isSuperseded: query.is_superseded,
    now: new Date(deps.nowMs()),
    firedAtGte: toDate(query.fired_at_gte),
    firedAtLt: toDate(query.fired_at_lt),
  };
  const rows = await listRows(deps.database, filter, page);
  return toPage(rows, page, ({ firedAt, id }) => ({ createdAtMs: firedAt.getTime(), id }));
}

/** PostgreSQL refuses years and UTC offsets that RFC 3339 allows, such as the year 0 and +23:59. A Date has neither. */
function toDate(instant: string | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant);
}

export async function getFiring(deps: AlertDeps, { caller }: Call, id: string): Promise<FiringRow> {
  const row = await findFiring(deps.database, visibilityOf(caller), id);
  if (row === null) throw firingNotFound();
  return row;
}

/**
 * Acknowledges the firing, and the open firings of lower thresholds that it covers. A repeated call replaces the note and its
 * author. Throws a 404 and a 403.
 */
export function acknowledgeFiring(
  deps: AlertDeps,
  { caller, origin }: Call,
  id: string,
  input: { note: string },
): Promise<FiringRow> {
  const now = new Date(deps.nowMs());
  const note = input.note === "" ? null : input.note;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findFiring(tx, visibilityOf(caller), id);
    if (before === null) throw firingNotFound();
    checkCanChange(caller, before.workspaceId);
    const by = { type: caller.kind, id: caller.id };
    const covered = await listOpenCovered(tx, id);
    const ids = [id, ...covered.map((firing) => firing.id)];
    await saveAcknowledgement(tx, { ids, by, note, now });
    await queueAcknowledgement(tx, [id]);
    const after = await findFiring(tx, visibilityOf(caller), id);
    if (after === null) throw firingNotFound();
    return {
      result: after,
      audit: [before, ...covered].map((firing) => ({
        event: "alert_firing.acknowledged" as const,
        subject: { type: "alert_firing", id: firing.id },
        workspaceId: firing.workspaceId,
        before: toAudit(firing),
        after: toAudit({ ...firing, acknowledgedAt: now, note }),
      })),
    };
  });
}

function toAudit({ alertId, threshold, acknowledgedAt, note }: FiringRow) {
  const acknowledged_at = acknowledgedAt?.toISOString() ?? null;
  return { alert_id: alertId, threshold, acknowledged_at, note };
}

export function firingNotFound(): ApiError {
  return new ApiError("resource_not_found", "Firing not found", {}, { resource: "alert_firing" });
}
