import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { listAlertsOfKind } from "./alerts-of-kind.sql.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

export interface FailoverFacts {
  organizationId: string;
  /** Id of the incarnation of the database that began with the failover. */
  incarnationId: string;
  lostEvents: number;
  /** Event and subject of each lost change that the node remembers. */
  lostChanges: readonly string[];
  restoredRestrictions: number;
}

/** Maximum changes in the facts of a firing. The audit log has all. */
const MAX_LISTED = 20;

/** Fires the alerts of the organization about a failover: once for all nodes, with the facts of the first. */
export function fireFailover(
  deps: AlertingDeps & { database: Database },
  of: FailoverFacts,
): Promise<void> {
  const { organizationId, incarnationId, lostChanges } = of;
  return inTransaction(deps.database, async (tx) => {
    const alerts = await listAlertsOfKind(tx, { organizationId, kind: "database_failover" });
    await recordFirings(
      tx,
      deps,
      alerts.map(({ alertId, scopeType, scopeId, workspaceId }) => ({
        ...{ organizationId, alertId, scopeType, scopeId, workspaceId },
        kind: "database_failover",
        episode: `incarnation ${incarnationId}`,
        threshold: "failover",
        facts: {
          lost_events: of.lostEvents,
          lost_changes: lostChanges.slice(0, MAX_LISTED),
          restored_restrictions: of.restoredRestrictions,
        },
      })),
    );
  });
}
