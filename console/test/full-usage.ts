import type { Database } from "../../server/src/db/pool.ts";
import { inTransaction } from "../../server/src/db/transaction.ts";
import type { EndRecord } from "../../server/src/domain/request-record.ts";
import { noCost, noTokens } from "../../server/src/domain/usage.ts";
import { newId } from "../../server/src/lib/ids.ts";
import { appendBatch } from "../../server/src/recording/record-usage.ts";
import { encodeHoldCharges } from "../../server/src/spend/ledger/hold-charges.ts";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import { endRecord } from "../../server/test/harness/usage-records.ts";

// Requests of 65 days for the company of `full-company.ts`, appended as a node does. The server counts them.

export interface FullKey {
  id: string;
  workspaceId: string;
  /** Part of the usage. */
  weight: number;
  /** The simulator answers its requests. */
  isSimulated: boolean;
}

interface Company {
  organizationId: string;
  nowMs: number;
}

const REQUESTS = 9_000;
/** Both halves of the chart of the overview, and some days of another month. */
const DAYS = 65;
/** Requests of the last minutes, of which so many fail. */
const RECENT = 40;
const RECENT_FAILED = 31;
const DOUBTFUL = 3;
const BATCH = 500;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Age that the window of the upstream's health does not reach. */
const SETTLED_MS = 20 * MINUTE_MS;
const models = [
  "claude-sonnet-5",
  "claude-haiku-4-5-20251001",
  "claude-opus-4-5-20251101",
] as const;
const NANO_PER_CENT = 10_000_000;

/** Appends all requests. Random, from a fixed seed. */
export async function recordUsage(
  database: Database,
  keys: readonly FullKey[],
  company: Company,
): Promise<void> {
  const records = makeRecords(keys, company);
  for (let from = 0; from < records.length; from += BATCH) {
    const batch = records.slice(from, from + BATCH);
    const of = { nodeId: "node_test", journalId: "journal", toSeq: 0, encodeHoldCharges };
    await inTransaction(database, (tx) => appendBatch(tx, of, batch));
  }
}

function makeRecords(keys: readonly FullKey[], { organizationId, nowMs }: Company): EndRecord[] {
  const random = seededRandom(22);
  // A key with twice the weight is twice in the list.
  const chosen = keys.flatMap((key) => Array<FullKey>(Math.round(key.weight * 10)).fill(key));
  const chooseKey = () => chosen[Math.floor(random() * chosen.length)] ?? (keys[0] as FullKey);
  const older = Array.from({ length: REQUESTS - RECENT }, (_, index) => {
    // Somewhat more requests in the newer days, as in a company that grows.
    const age = DAYS * DAY_MS * random() ** 1.15;
    const isDoubtful = index < DOUBTFUL;
    // The overview counts doubtful costs of 30 days.
    const startedAtMs = Math.floor(nowMs - Math.max(SETTLED_MS, isDoubtful ? age / 3 : age));
    const doubt = isDoubtful ? { doubt: "missing_usage" as const } : {};
    return toRecord(chooseKey(), { organizationId, startedAtMs, random, ...doubt });
  });
  const recent = Array.from({ length: RECENT }, (_, index) => {
    const startedAtMs = nowMs - (index % 10) * MINUTE_MS - MINUTE_MS;
    const failed = index < RECENT_FAILED ? { outcome: "refused" as const, httpStatus: 529 } : {};
    return toRecord(chooseKey(), { organizationId, startedAtMs, random, ...failed });
  });
  // Each key has spent something in this month, even in its first minutes.
  const monthMs = startOfMonth(nowMs);
  const ofMonth = keys.map((key, index) => {
    const part = (index + 1) / (keys.length + 1);
    const startedAtMs = Math.floor(monthMs + (nowMs - monthMs) * part);
    return toRecord(key, { organizationId, startedAtMs, random });
  });
  return [...older, ...recent, ...ofMonth].sort((a, b) => a.startedAtMs - b.startedAtMs);
}

/** Start of the month of a time, UTC. Milliseconds since the epoch. */
export function startOfMonth(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth());
}

interface RecordOptions extends Partial<EndRecord> {
  organizationId: string;
  startedAtMs: number;
  random: () => number;
}

function toRecord(key: FullKey, { random, ...fields }: RecordOptions): EndRecord {
  const isFailed = fields.outcome === "refused";
  const output = BigInt(Math.round(NANO_PER_CENT * (20 + 180 * random())));
  const input = output / 3n;
  const cost = isFailed ? noCost : { ...noCost, input, output, total: input + output };
  const model = models[Math.floor(random() * models.length)] ?? models[0];
  return endRecord({
    ...{
      requestId: newId("req_", fields.startedAtMs),
      workspaceId: key.workspaceId,
      apiKeyId: key.id,
    },
    ...{ model, requestedModel: model, cost },
    usage: isFailed
      ? noTokens
      : {
          ...noTokens,
          inputTokens: Number(input / 3_000n),
          outputTokens: Number(output / 15_000n),
        },
    serviceTier: key.isSimulated ? "simulated" : "standard",
    ...fields,
  });
}
