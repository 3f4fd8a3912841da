import type { Database } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import { appendAndFold, foldSpend } from "./folds.ts";

/**
 * End record of a request that costs 0.0000811 dollars by default. 10 input tokens, 5 output tokens and some cache
 * tokens.
 */
export function endRecord(
  fields: Partial<EndRecord> &
    Pick<EndRecord, "requestId" | "startedAtMs" | "organizationId" | "workspaceId" | "apiKeyId">,
): EndRecord {
  return {
    requestedModel: "claude-sonnet-5",
    isStream: false,
    client: "curl",
    endedAtMs: fields.startedAtMs + 900,
    outcome: "answered",
    httpStatus: 200,
    isEstimated: false,
    isUnpriced: false,
    model: "claude-sonnet-5",
    serviceTier: "standard",
    contextWindow: "0-200k",
    inferenceGeo: "global",
    speed: "standard",
    usage: {
      ...noTokens,
      inputTokens: 10,
      cacheWrite5mTokens: 1,
      cacheWrite1hTokens: 2,
      cacheReadTokens: 3,
      outputTokens: 5,
    },
    cost: {
      ...noCost,
      input: 20_000n,
      cacheWrite5m: 2_500n,
      cacheWrite1h: 8_000n,
      cacheRead: 600n,
      output: 50_000n,
      total: 81_100n,
    },
    prices: "{}",
    upstreamRequestId: null,
    firstByteMs: 300,
    ...fields,
  };
}

/** Records the requests as a flush and its fold do, without the balances. */
export async function recordUsage(database: Database, records: EndRecord[]): Promise<void> {
  await appendAndFold(database, "node_test", records);
}

/** Records the requests as a flush and its fold do, with the balances. */
export async function recordSpend(database: Database, records: EndRecord[]): Promise<void> {
  await appendAndFold(database, "node_test", records, foldSpend);
}
