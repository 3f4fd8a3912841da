import type { AlertKind } from "@bursar/contract/admin/alerts.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { NewFiring } from "#src/domain/new-firing.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";
import {
  deleteOldEpisodes,
  keepEpisodes,
  listUpstreamErrors,
  type RequestNews,
} from "./request-alerts.sql.ts";

// Alerts about what becomes of requests, counted over a window that ends now.

export interface EvaluateRequestsDeps extends AlertingDeps {
  database: Database;
}

/** Longer than the longest window. */
const KEEP_EPISODES_MS = 2 * 86_400_000;

/**
 * Fires what alerts about requests have to say by now. It may run twice, and on two nodes at once: an alert fires once from
 * the moment its condition becomes true until it has been untrue for a whole window.
 */
export async function evaluateRequests(deps: EvaluateRequestsDeps): Promise<void> {
  const now = new Date(Math.floor(deps.nowMs()));
  await inTransaction(deps.database, async (tx) => {
    const failing = await keepEpisodes(tx, await listUpstreamErrors(tx, now), now);
    await recordFirings(
      tx,
      deps,
      failing.map((news) => firingOf("upstream_errors", news)),
    );
  });
  await deleteOldEpisodes(deps.database, new Date(now.getTime() - KEEP_EPISODES_MS));
}

function firingOf(kind: AlertKind, news: RequestNews & { beganAt: Date }): NewFiring {
  const { organizationId, alertId, scopeType, scopeId, workspaceId } = news;
  const { threshold, requests, failedRequests, minutes } = news;
  return {
    ...{ organizationId, alertId, kind, scopeType, scopeId, workspaceId },
    episode: news.beganAt.toISOString(),
    threshold,
    facts: { requests, failed_requests: failedRequests, minutes },
  };
}
