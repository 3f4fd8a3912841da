import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import {
  deleteOldNetworks,
  type KeyFinding,
  listExpiringKeys,
  listNewNetworks,
  listUnusedKeys,
} from "./key-alerts.sql.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordDigests, recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

// Alerts about single keys: keys that expire soon, unused keys, and keys used from a new network.

export interface EvaluateKeysDeps extends AlertingDeps {
  database: Database;
}

/** Maximum firings of one transaction, and transactions of one run. The next run records the rest. */
const BATCH = 500;
const MAX_BATCHES = 40;
/** Maximum unused keys of one run. They share a message, so one transaction records them. */
const MAX_UNUSED = 20_000;
/** Maximum networks stored for a key. A key with more has no stable set of networks. */
const MAX_NETWORKS = 200;

/**
 * Fires alerts about expiring and unused keys. May run twice, and on two nodes at once: an expiry fires once for each number
 * of days, and a time without use fires once.
 */
export async function evaluateKeys(deps: EvaluateKeysDeps): Promise<void> {
  await recordInBatches(deps, findExpiring);
  await evaluateUnused(deps);
  await deleteOldNetworks(deps.database, MAX_NETWORKS);
}

/** Fires alerts about new networks of keys. Each network of a key fires once. */
export function evaluateNetworks(deps: EvaluateKeysDeps): Promise<void> {
  return recordInBatches(deps, findNewNetworks);
}

type FindFirings = (tx: Tx, of: { now: Date; limit: number }) => Promise<NewFiring[]>;

/** Each batch skips the firings that earlier batches recorded. A batch that records nothing ends the run. */
async function recordInBatches(deps: EvaluateKeysDeps, find: FindFirings): Promise<void> {
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

const findExpiring: FindFirings = async (tx, of) =>
  (await listExpiringKeys(tx, of)).map((finding) => {
    const expiresAt = finding.expiresAt.toISOString();
    const threshold = formatPlural(finding.days, "day");
    return toFiring("key_expiring", finding, {
      episode: expiresAt,
      threshold,
      facts: { expires_at: expiresAt },
    });
  });

/** All unused keys share one message. */
async function evaluateUnused(deps: EvaluateKeysDeps): Promise<void> {
  const now = new Date(deps.nowMs());
  await inTransaction(deps.database, async (tx) => {
    await recordDigests(tx, deps, await findUnused(tx, { now, limit: MAX_UNUSED }));
  });
}

const findUnused: FindFirings = async (tx, of) =>
  (await listUnusedKeys(tx, of)).map((finding) =>
    toFiring("key_unused", finding, {
      episode: finding.since.toISOString(),
      threshold: formatPlural(finding.days, "day"),
      facts: { last_used_at: finding.lastUsedAt?.toISOString() ?? null },
    }),
  );

const findNewNetworks: FindFirings = async (tx, of) =>
  (await listNewNetworks(tx, of)).map((finding) =>
    toFiring("key_new_address", finding, {
      episode: finding.firstSeenAt.toISOString(),
      threshold: finding.network,
      facts: { address_range: finding.network },
    }),
  );

function toFiring(
  kind: AlertKind,
  { organizationId, alertId, apiKeyId, workspaceId }: Omit<KeyFinding, "days">,
  details: { episode: string; threshold: string; facts: FiringFacts },
): NewFiring {
  const scope = { scopeType: "api_key", scopeId: apiKeyId, workspaceId } as const;
  return { organizationId, alertId, kind, ...scope, ...details };
}
