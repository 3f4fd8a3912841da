import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { flushBatch } from "#src/recording/flush.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { enterNode } from "#src/recording/node.sql.ts";
import {
  deleteBatches,
  findFoldedSeq,
  listBatches,
  lockNodes,
} from "#src/recording/usage-batches.sql.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { countLimits } from "#src/spend/ledger/lease-draws.sql.ts";
import { lockNode } from "#src/spend/ledger/lease-rows.sql.ts";
import type { SyncAnswer, SyncMessage } from "#src/spend/ledger/lease-rules.ts";
import {
  type Draft,
  type DraftedMessage,
  draftMessage,
  listActivating,
  readStrictLimits,
  reclaimLeases,
  settleBatches,
  syncLeases,
  writeDraft,
} from "#src/spend/ledger/leases.sql.ts";
import {
  deleteSpendLimit,
  findSpendLimit,
  upsertSpendLimit,
} from "#src/spend/ledger/limits.sql.ts";
import {
  type ReleasedLease,
  releaseNodeBudget,
  releaseUnresolved,
} from "#src/spend/ledger/release-unresolved.sql.ts";
import { type BalanceKey, balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import { appendSums } from "../folds.ts";
import type {
  FlushAnswer,
  FlushRequest,
  FoldedNode,
  Snapshot,
  SpendStore,
  StoredCounters,
  StoredLease,
  StoreTimes,
} from "./store.ts";

const JOURNAL_ID = "journal";
/** More than a run appends. */
const MAX_BATCHES = 10_000;

/** The product's statements on a real database. The simulation sets its clock. Starts with empty tables. */
export class SqlStore implements SpendStore {
  readonly #database: Database;
  readonly #times: StoreTimes;
  readonly #organizationId: string;

  private constructor(database: Database, times: StoreTimes, organizationId: string) {
    this.#database = database;
    this.#times = times;
    this.#organizationId = organizationId;
  }

  static async open(
    database: Database,
    times: StoreTimes,
    organizationId: string,
  ): Promise<SqlStore> {
    await sql`TRUNCATE lease, lease_node, lease_draw, counted_limit, balance, spend_limit, node, usage_batch`.execute(
      database,
    );
    await sql`UPDATE limits_version SET value = 0`.execute(database);
    await database
      .insertInto("organization")
      .values({ id: organizationId, name: "Acme" })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return new SqlStore(database, times, organizationId);
  }

  async enter(nodeId: string): Promise<{ epoch: bigint; flushedSeq: number }> {
    return await enterNode(this.#database, { id: nodeId, journalId: JOURNAL_ID, version: "0" });
  }

  sync(message: SyncMessage, atMs: number): Promise<SyncAnswer> {
    return syncLeases(this.#database, message, { ttlMs: this.#times.ttlMs, atMs });
  }

  draft(message: SyncMessage): Promise<Draft> {
    return draftMessage(this.#database, message);
  }

  write(draft: DraftedMessage, atMs: number): Promise<SyncAnswer | null> {
    return writeDraft(this.#database, draft, { ttlMs: this.#times.ttlMs, atMs });
  }

  async flush(request: FlushRequest): Promise<FlushAnswer> {
    const { nodeId } = request;
    const { kind } = await flushBatch({
      ...request,
      database: this.#database,
      journalId: JOURNAL_ID,
      isRecordedSkipped: false,
      participants: [
        {
          flush: (tx, batch, position) => appendSums(tx, { nodeId, ...position }, batch),
        },
      ],
    });
    return kind;
  }

  /** The transaction runs at its last statement: a connection that waits would block the other steps. */
  beginFold(): Promise<void> {
    return Promise.resolve();
  }

  continueFold(atMs: number): Promise<FoldedNode[]> {
    return inTransaction(this.#database, (tx) => foldBatches(tx, atMs));
  }

  /** Runs the whole transaction, which then fails. */
  async rollBackFold(): Promise<void> {
    const broken = inTransaction(this.#database, async (tx) => {
      await foldBatches(tx, 0);
      throw new Error(BROKEN);
    });
    await broken.catch((error: unknown) => {
      if (!(error instanceof Error && error.message === BROKEN)) throw error;
    });
  }

  countLimits(atMs: number): Promise<void> {
    return countLimits(this.#database, { lockFold, atMs });
  }

  async foldedSeq(nodeId: string): Promise<number> {
    return (await findFoldedSeq(this.#database, nodeId)) ?? 0;
  }

  reclaim(atMs: number): Promise<string[]> {
    return reclaimLeases(this.#database, { graceMs: this.#times.graceMs, atMs });
  }

  async release(atMs: number): Promise<StoredLease[]> {
    const options = { afterMs: this.#times.releaseMs, atMs };
    return (await releaseUnresolved(this.#database, options)).map(toStored);
  }

  forget(nodeId: string): Promise<StoredLease[] | null> {
    return inTransaction(this.#database, async (tx) => {
      const node = await lockNode(tx, nodeId);
      if (node === null || node.expiresAt !== null) return null;
      const organizationId = this.#organizationId;
      return (await releaseNodeBudget(tx, { nodeId, organizationId })).map(toStored);
    });
  }

  async setLimit(limit: StrictLimit, atMs: number): Promise<void> {
    const { scopeType, scopeId, period } = limit;
    const id = `spl_${scopeType}_${scopeId}_${period}`;
    await upsertSpendLimit(this.#database, { ...limit, id, enforcement: "strict" });
    const changed = this.#database.updateTable("spend_limit").set({ updated_at: new Date(atMs) });
    await changed.where("id", "=", id).execute();
  }

  async removeLimit(limit: StrictLimit): Promise<void> {
    const found = await findSpendLimit(this.#database, limit);
    const { organizationId } = limit;
    await deleteSpendLimit(this.#database, { organizationId, id: found?.id ?? "" });
  }

  limits(): Promise<{ limits: StrictLimit[]; version: bigint }> {
    return readStrictLimits(this.#database);
  }

  activating(): Promise<StrictLimit[]> {
    return listActivating(this.#database);
  }

  async snapshot(): Promise<Snapshot> {
    const [balances, leases, nodes, draws, counts] = await Promise.all([
      this.#database.selectFrom("balance_sum").selectAll().execute(),
      this.#database.selectFrom("lease_left").selectAll().execute(),
      this.#listNodes(),
      this.#database.selectFrom("lease_draw").selectAll().execute(),
      this.#database.selectFrom("counted_limit").selectAll().execute(),
    ]);
    const stored = leases
      .filter((row) => row.amount_nano_usd > 0n)
      .map((row) => ({
        nodeId: row.node_id,
        requestId: row.request_id,
        key: balanceKeyText(keyOf(row)),
        amount: row.amount_nano_usd,
        isUnresolved: row.unresolved_since !== null,
      }));
    const counters = new Map<string, StoredCounters>();
    for (const row of draws) {
      const [nodeId, key, drawn] = [row.node_id, balanceKeyText(keyOf(row)), row.drawn_nano_usd];
      counters.set(`${nodeId}\n${key}`, { nodeId, key, granted: drawn, drawn });
    }
    for (const { nodeId, key, amount, requestId } of stored) {
      if (requestId !== "") continue;
      const { drawn } = counters.get(`${nodeId}\n${key}`) ?? { drawn: 0n };
      counters.set(`${nodeId}\n${key}`, { nodeId, key, granted: drawn + amount, drawn });
    }
    return {
      leases: stored,
      counters: [...counters.values()],
      counts: new Map(
        counts.map((row) => [`${row.scope_type}\n${row.scope_id}\n${row.period}`, row.id]),
      ),
      balances: new Map(
        balances.map((row) => [
          balanceKeyText(keyOf(row)),
          {
            settled: row.settled_nano_usd,
            leased: row.leased_nano_usd,
            unresolved: row.unresolved_nano_usd,
            overrun: row.limit_overrun_nano_usd,
          },
        ]),
      ),
      nodes: new Map(
        nodes.map((row) => [
          row.id,
          {
            epoch: row.epoch,
            flushedSeq: Number(row.flushed_seq),
            foldedSeq: Number(row.folded_seq),
            isLive: row.lease_expires_at !== null,
          },
        ]),
      ),
    };
  }

  #listNodes() {
    return this.#database
      .selectFrom("node")
      .innerJoin("node_contact as contact", "contact.id", "node.id")
      .select(["node.id", "epoch", "flushed_seq", "folded_seq", "contact.lease_expires_at"])
      .execute();
  }
}

const BROKEN = "the fold is broken off";

async function foldBatches(tx: Tx, atMs: number): Promise<FoldedNode[]> {
  await lockFold(tx);
  const batches = await listBatches(tx, MAX_BATCHES);
  if (batches.length === 0) return [];
  await lockNodes(tx, batches);
  await settleBatches(tx, batches, { atMs });
  await deleteBatches(tx, batches);
  const folded = new Map(batches.map(({ nodeId, toSeq }) => [nodeId, toSeq]));
  return [...folded].map(([nodeId, toSeq]) => ({ nodeId, toSeq }));
}

function toStored(row: ReleasedLease): StoredLease {
  const { nodeId, requestId, amountNanoUsd: amount } = row;
  return { nodeId, requestId, key: balanceKeyText(row), amount, isUnresolved: true };
}

function keyOf(row: {
  scope_type: BalanceKey["scopeType"];
  scope_id: string;
  period: BalanceKey["period"];
  period_start: string;
}): BalanceKey {
  const { scope_type: scopeType, scope_id: scopeId, period, period_start: periodStart } = row;
  return { scopeType, scopeId, period, periodStart };
}
