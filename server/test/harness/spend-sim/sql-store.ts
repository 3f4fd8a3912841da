import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { flushBatch } from "#src/recording/flush.ts";
import { enterNode } from "#src/recording/node.sql.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import type { SyncAnswer, SyncMessage } from "#src/spend/ledger/lease-rules.ts";
import {
  listActivating,
  lockNode,
  readStrictLimits,
  reclaimLeases,
  syncLeases,
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
import { settleRecords } from "#test/harness/folds.ts";
import type {
  FlushAnswer,
  FlushRequest,
  Snapshot,
  SpendStore,
  StoredLease,
  StoreTimes,
} from "./store.ts";

const JOURNAL_ID = "journal";

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
    await sql`TRUNCATE lease, balance, spend_limit, node, usage_batch`.execute(database);
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

  async flush(request: FlushRequest, atMs: number): Promise<FlushAnswer> {
    const { nodeId } = request;
    const { kind } = await flushBatch({
      ...request,
      database: this.#database,
      journalId: JOURNAL_ID,
      isRecordedSkipped: false,
      participants: [
        {
          flush: async (tx, batch, position) => {
            await settleRecords(tx, nodeId, batch, { atMs }, position);
          },
        },
      ],
    });
    return kind;
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
    const [balances, leases, nodes] = await Promise.all([
      this.#database.selectFrom("balance").selectAll().execute(),
      this.#database.selectFrom("lease").selectAll().execute(),
      this.#database.selectFrom("node").selectAll().execute(),
    ]);
    return {
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
      leases: leases.map((row) => ({
        nodeId: row.node_id,
        requestId: row.request_id,
        key: balanceKeyText(keyOf(row)),
        amount: row.amount_nano_usd,
        isUnresolved: row.unresolved_since !== null,
      })),
      nodes: new Map(
        nodes.map((row) => [
          row.id,
          {
            epoch: row.epoch,
            flushedSeq: Number(row.folded_seq),
            isLive: row.lease_expires_at !== null,
          },
        ]),
      ),
    };
  }
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
