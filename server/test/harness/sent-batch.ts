import { sql } from "kysely";
import { expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { shippedFeatures } from "#src/domain/feature-book.ts";
import { makeModelLabels } from "#src/domain/model-labels.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import {
  findBatch,
  insertBatch,
  insertLines,
  markHeld,
  markRunning,
  markSent,
  type StoredBatch,
} from "#src/message-batches/batches.sql.ts";
import { type MeterDeps, scopeOfBatch } from "#src/message-batches/meter-batch.ts";
import { readLine } from "#src/message-batches/read-line.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { checkLedger, type LedgerReport } from "#src/spend/check/check-ledger.ts";
import { placeDurableHold } from "#src/spend/ledger/durable-holds.sql.ts";
import { countLimits } from "#src/spend/ledger/lease-draws.sql.ts";
import { upsertSpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { WORST_CASES } from "#src/spend/ledger/open-ended-holds.ts";
import { foldSpend } from "./folds.ts";
import { SOME_TIME_MS } from "./request-records.ts";

// A batch on real balances that was sent, with its hold. A strict limit of its workspace has room for exactly this batch.

const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
const book = makePriceBook([]);
const MODEL = "claude-sonnet-5";
let made = 0;
let owners = 0;

export interface SentBatch {
  id: string;
  upstreamBatchId: string;
  holdNanoUsd: bigint;
  deps: MeterDeps;
  /** Marks it as running. */
  run(): Promise<void>;
  find(): Promise<StoredBatch>;
  /** Monthly amounts of its workspace, nano-USD. */
  read(): Promise<Record<"settled" | "leased" | "unresolved", bigint> | undefined>;
  /** Recorded requests of its workspace, and their cost in nano-USD. */
  records(): Promise<{ requests: number; ids: number; cost: bigint } | undefined>;
  /** Rows of its lines and of its hold. */
  leftRows(): Promise<{ lines: number; holds: number } | undefined>;
  /** Differences between balances and records. */
  check(): Promise<LedgerReport["differences"]>;
}

interface SentBatchOptions {
  lines: number;
  startedAtMs?: number;
  /** Default: a key and workspace of its own. */
  owner?: Pick<StoredBatch, "organizationId" | "workspaceId" | "apiKeyId">;
}

/** Creates a batch. Its lines have the custom ids `line-0`, `line-1` and so on. */
export async function makeSentBatch(
  database: Database,
  { lines: count, startedAtMs = SOME_TIME_MS, ...options }: SentBatchOptions,
): Promise<SentBatch> {
  const owner = options.owner ?? (await makeOwner(database));
  made += 1;
  const id = `req_${String(made).padStart(24, "0")}`;
  const upstreamBatchId = `msgbatch_${id}`;
  const startedAt = new Date(startedAtMs);
  const upstream = { upstreamId: "environment", isSimulated: false };
  const labels = { memberId: null, groupIds: [], tagIds: [], client: "other" };
  await insertBatch(database, {
    ...{ ...owner, ...labels, ...upstream },
    ...{ id, startedAt, nodeId: "node_1" },
  });
  const lines = Array.from({ length: count }, (_, index) => makeLine(index, startedAtMs));
  await insertLines(database, id, lines);
  const holdNanoUsd = lines.reduce((sum, { worstCase }) => sum + worstCase.nanoUsd, 0n);
  const find = async () => {
    const found = await findBatch(database, id);
    if (found === null) throw new Error("the batch has a row");
    return found;
  };
  const scope = scopeOfBatch(await find());
  await upsertSpendLimit(database, {
    id: `spl_${made}`,
    organizationId: owner.organizationId,
    scopeType: "workspace",
    scopeId: owner.workspaceId,
    period: "monthly",
    amountNanoUsd: holdNanoUsd,
    enforcement: "strict",
  });
  const fold = () => foldSpend(database);
  await countLimits(database, { atMs: null, lockFold, fold });
  await inTransaction(database, async (tx) => {
    const hold = { holdId: id, scope, startedAtMs, amountNanoUsd: holdNanoUsd };
    expect(await placeDurableHold(tx, hold)).toBeNull();
    const held = { id, startedAt, lineCount: count, holdNanoUsd, bodyHash: id };
    await markHeld(tx, { ...held, openEnded: WORST_CASES });
  });
  expect(await markSent(database, id, { ...upstream, failover: null })).toBe(true);
  await sql`UPDATE message_batch SET sent_at = started_at WHERE id = ${id}`.execute(database);
  return {
    ...{ id, upstreamBatchId, holdNanoUsd, find },
    deps: {
      ...{ database, fold, prices: { get: () => book }, labels: makeModelLabels(10) },
      references: { recordGiven: () => Promise.resolve() },
    },
    run: async () => {
      const reported = { upstreamBatchId, object: {}, expiresAt: null, endedAt: null };
      await markRunning(database, id, reported);
    },
    check: async () => (await checkLedger(database, owner.organizationId)).differences,
    ...makeReaders(database, { id, ...owner }),
  };
}

async function makeOwner(database: Database): Promise<NonNullable<SentBatchOptions["owner"]>> {
  await sql`INSERT INTO organization (id, name) VALUES (${ORGANIZATION}, 'A') ON CONFLICT DO NOTHING`.execute(
    database,
  );
  owners += 1;
  const workspaceId = `wksp_${owners}`;
  return { organizationId: ORGANIZATION, workspaceId, apiKeyId: `apikey_${owners}` };
}

function makeLine(index: number, atMs: number) {
  const messages = [{ role: "user", content: "x".repeat(1_000) }];
  const params = { model: MODEL, max_tokens: 100, messages };
  return readLine(
    { features: shippedFeatures, book, atMs, check: () => undefined },
    Buffer.from(JSON.stringify({ custom_id: `line-${index}`, params })),
    index,
  );
}

function makeReaders(
  database: Database,
  { id, workspaceId }: { id: string; workspaceId: string },
): Pick<SentBatch, "read" | "records" | "leftRows"> {
  return {
    read: async () => {
      const { rows } = await sql<{ settled: bigint; leased: bigint; unresolved: bigint }>`
        SELECT settled_nano_usd AS settled, leased_nano_usd AS leased, unresolved_nano_usd AS unresolved
        FROM balance_sum WHERE scope_id = ${workspaceId} AND period = 'monthly'`.execute(database);
      return rows[0];
    },
    records: async () => {
      const { rows } = await sql<{ requests: number; ids: number; cost: bigint }>`
        SELECT count(*)::integer AS requests, count(DISTINCT request_id)::integer AS ids,
          coalesce(sum(cost_nano_usd), 0)::bigint AS cost
        FROM recorded_request WHERE workspace_id = ${workspaceId}`.execute(database);
      return rows[0];
    },
    leftRows: async () => {
      const { rows } = await sql<{ lines: number; holds: number }>`
        SELECT (SELECT count(*) FROM message_batch_line WHERE batch_id = ${id})::integer AS lines,
          (SELECT count(*) FROM lease WHERE request_id = ${`batch:${id}`})::integer AS holds`.execute(
        database,
      );
      return rows[0];
    },
  };
}

const USAGE = { input_tokens: 1_000, output_tokens: 100, service_tier: "batch" };
/** Cost of a succeeded line, nano-USD: $2 and $10 per million tokens, halved. */
export const SENT_LINE_COST_NANO_USD = (1_000n * 2_000n + 100n * 10_000n) / 2n;

/** A line of results. Default: it succeeded. */
export function resultOf(index: number, result: unknown = undefined): string {
  const message = { type: "message", model: MODEL, usage: USAGE };
  const succeeded = { type: "succeeded", message };
  return `${JSON.stringify({ custom_id: `line-${index}`, result: result ?? succeeded })}\n`;
}
