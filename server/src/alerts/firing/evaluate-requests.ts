import type { AlertKind } from "@bursar/contract/admin/alerts.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";
import {
  deleteOldEpisodes,
  deleteOldRefusals,
  listRefusedRequests,
  listUpstreamErrors,
  type RequestFinding,
  saveEpisodes,
} from "./request-alerts.sql.ts";

// Alerts about failed and refused requests, counted over a window that ends now.

export interface EvaluateRequestsDeps extends AlertingDeps {
  database: Database;
}

/** Time to keep episodes and counts: longer than the longest window. */
const KEEP_MS = 2 * 86_400_000;

/**
 * Fires alerts about requests. May run twice, and on two nodes at once: an alert fires once for each episode. An episode
 * starts when the condition becomes true, and ends when it was false for a whole window.
 */
export async function evaluateRequests(deps: EvaluateRequestsDeps): Promise<void> {
  const now = new Date(deps.nowMs());
  await inTransaction(deps.database, async (tx) => {
    await recordFirings(tx, deps, [
      ...(await findFirings(tx, "upstream_errors", { now, find: listUpstreamErrors })),
      ...(await findFirings(tx, "refused_requests", { now, find: listRefusedRequests })),
    ]);
  });
  const before = new Date(now.getTime() - KEEP_MS);
  await deleteOldEpisodes(deps.database, before);
  await deleteOldRefusals(deps.database, before);
}

interface FindingSource {
  now: Date;
  find: (tx: Tx, now: Date) => Promise<RequestFinding[]>;
}

async function findFirings(
  tx: Tx,
  kind: AlertKind,
  { now, find }: FindingSource,
): Promise<NewFiring[]> {
  const findings = await saveEpisodes(tx, await find(tx, now), now);
  return findings.map((each) => toFiring(kind, each));
}

function toFiring(kind: AlertKind, finding: RequestFinding & { beganAt: Date }): NewFiring {
  const { organizationId, alertId, scopeType, scopeId, workspaceId } = finding;
  const { threshold, requests, failedRequests, minutes, topErrorCode, topErrorRequests } = finding;
  return {
    ...{ organizationId, alertId, kind, scopeType, scopeId, workspaceId },
    episode: finding.beganAt.toISOString(),
    threshold,
    facts: {
      ...{ requests, minutes },
      ...(failedRequests !== null && { failed_requests: failedRequests }),
      ...(topErrorCode && { top_error_code: topErrorCode, top_error_requests: topErrorRequests }),
    },
  };
}
