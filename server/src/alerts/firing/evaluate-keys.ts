import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import {
  deleteOldNetworks,
  type KeyNews,
  listExpiringKeys,
  listNewNetworks,
  listUnusedKeys,
} from "./key-alerts.sql.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings, recordTogether } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

// Alerts about single keys: that one expires soon, has not been used for long, or is used from somewhere new.

export interface EvaluateKeysDeps extends AlertingDeps {
  database: Database;
}

/** Firings of one transaction, and transactions of one run: what is left then is for the next run. */
const BATCH = 500;
const MAX_BATCHES = 40;
/** Unused keys of one run. They are told of together, and so recorded together. */
const MAX_UNUSED = 20_000;
/** Of a key. A key that is used from everywhere has no news to tell. */
const MAX_NETWORKS = 200;

/**
 * Fires what alerts about expiring and unused keys have to say by now. It may run twice, and on two nodes at once: each
 * expiry fires once for each number of days, each time without a use once.
 */
export async function evaluateKeys(deps: EvaluateKeysDeps): Promise<void> {
  await inBatches(deps, expiring);
  await evaluateUnused(deps);
  await deleteOldNetworks(deps.database, MAX_NETWORKS);
}

/** The same of networks that keys are used from for the first time: each fires once. */
export function evaluateNetworks(deps: EvaluateKeysDeps): Promise<void> {
  return inBatches(deps, newNetworks);
}

type FindFirings = (tx: Tx, of: { now: Date; limit: number }) => Promise<NewFiring[]>;

/** Each batch leaves out what those before it recorded. One that records nothing ends the run. */
async function inBatches(deps: EvaluateKeysDeps, find: FindFirings): Promise<void> {
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const now = new Date(deps.nowMs());
    const isFull = await inTransaction(deps.database, async (tx) => {
      const firings = await find(tx, { now, limit: BATCH });
      const recorded = await recordFirings(tx, deps, firings);
      return firings.length === BATCH && recorded.length > 0;
    });
    if (!isFull) return;
  }
}

const expiring: FindFirings = async (tx, of) =>
  (await listExpiringKeys(tx, of)).map((news) => {
    const expiresAt = news.expiresAt.toISOString();
    const threshold = formatPlural(news.days, "day");
    return firingOf("key_expiring", news, {
      episode: expiresAt,
      threshold,
      facts: { expires_at: expiresAt },
    });
  });

/** All keys that an alert finds at once are one message. */
async function evaluateUnused(deps: EvaluateKeysDeps): Promise<void> {
  const now = new Date(deps.nowMs());
  await inTransaction(deps.database, async (tx) => {
    await recordTogether(tx, deps, await unused(tx, { now, limit: MAX_UNUSED }));
  });
}

const unused: FindFirings = async (tx, of) =>
  (await listUnusedKeys(tx, of)).map((news) =>
    firingOf("key_unused", news, {
      episode: news.since.toISOString(),
      threshold: formatPlural(news.days, "day"),
      facts: { last_used_at: news.lastUsedAt?.toISOString() ?? null },
    }),
  );

const newNetworks: FindFirings = async (tx, of) =>
  (await listNewNetworks(tx, of)).map((news) =>
    firingOf("key_new_address", news, {
      episode: news.firstSeenAt.toISOString(),
      threshold: news.network,
      facts: { address_range: news.network },
    }),
  );

function firingOf(
  kind: AlertKind,
  { organizationId, alertId, apiKeyId, workspaceId }: Omit<KeyNews, "days">,
  what: { episode: string; threshold: string; facts: FiringFacts },
): NewFiring {
  const scope = { scopeType: "api_key", scopeId: apiKeyId, workspaceId } as const;
  return { organizationId, alertId, kind, ...scope, ...what };
}
