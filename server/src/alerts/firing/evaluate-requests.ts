import type { AlertKind } from "@bursar/contract/admin/alerts.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";
import {
  deleteOldEpisodes,
  deleteOldRefusals,
  keepEpisodes,
  listRefusedRequests,
  listUpstreamErrors,
  type RequestNews,
} from "./request-alerts.sql.ts";

// Alerts about what becomes of requests, counted over a window that ends now.

export interface EvaluateRequestsDeps extends AlertingDeps {
  database: Database;
}

/** Episodes and counts. Longer than the longest window. */
const KEEP_MS = 2 * 86_400_000;

/**
 * Fires what alerts about requests have to say by now. It may run twice, and on two nodes at once: an alert fires once from
 * the moment its condition becomes true until it has been untrue for a whole window.
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

interface Looking {
  now: Date;
  find: (tx: Tx, now: Date) => Promise<RequestNews[]>;
}

async function findFirings(tx: Tx, kind: AlertKind, { now, find }: Looking): Promise<NewFiring[]> {
  const news = await keepEpisodes(tx, await find(tx, now), now);
  return news.map((each) => firingOf(kind, each));
}

function firingOf(kind: AlertKind, news: RequestNews & { beganAt: Date }): NewFiring {
  const { organizationId, alertId, scopeType, scopeId, workspaceId } = news;
  const { threshold, requests, failedRequests, minutes } = news;
  return {
    ...{ organizationId, alertId, kind, scopeType, scopeId, workspaceId },
    episode: news.beganAt.toISOString(),
    threshold,
    facts: {
      ...{ requests, minutes },
      ...(failedRequests !== null && { failed_requests: failedRequests }),
    },
  };
}
