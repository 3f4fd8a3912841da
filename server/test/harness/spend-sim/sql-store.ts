import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { listOverruns, type OverrunRow } from "#src/alerts/firing/overrun-alerts.sql.ts";
import type { Incarnation } from "#src/db/incarnation.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import { flushBatch } from "#src/recording/flush.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { enterNode } from "#src/recording/node.sql.ts";
import { rollupTableNames } from "#src/recording/rollup-tables.ts";
import { addToRollups } from "#src/recording/rollups.sql.ts";
import {
  deleteBatches,
  findFoldedSeq,
  listBatches,
  lockNodes,
} from "#src/recording/usage-batches.sql.ts";
import { readSpend, type SpendPlace } from "#src/spend/ledger/balances.sql.ts";
import { chainOf, type SpendScope } from "#src/spend/ledger/charges.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { countLimits } from "#src/spend/ledger/lease-draws.sql.ts";
import { lockNode } from "#src/spend/ledger/lease-rows.sql.ts";
import type { SyncAnswer, SyncMessage } from "#src/spend/ledger/lease-rules.ts";
import {
  type Draft,
  type DraftedMessage,
  draftMessage,
  endAwaits,
  fenceSilentNodes,
  listActivating,
  readStrictLimits,
  settleBatches,
  syncLeases,
  writeDraft,
} from "#src/spend/ledger/leases.sql.ts";
import {
  deleteSpendLimit,
  findSpendLimit,
  upsertSpendLimit,
} from "#src/spend/ledger/limits.sql.ts";
import { deleteUnwatchedBalances } from "#src/spend/ledger/prune-balances.ts";
import {
  type ReleasedLease,
  releaseNodeBudget,
  releaseUnresolved,
} from "#src/spend/ledger/release-unresolved.sql.ts";
import { type BalanceKey, balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import { appendSums } from "../folds.ts";
import { fireOverrun, type ToldOverrun } from "./alerts.ts";
import { FIRST_SERVER } from "./memory-rows.ts";
import type {
  FlushAnswer,
  FlushRequest,
  FoldedNode,
  SavedRows,
  Snapshot,
  SpendStore,
  StoredCounters,
  StoredLease,
  StoreRaise,
  StoreTimes,
} from "./store.ts";

const JOURNAL_ID = "journal";
/** Tables without rows at the start. */
const FILLED_TABLES = [
  ...["node", "lease_node", "balance", "spend_limit", "counted_limit"],
  ...["lease", "lease_draw", "usage_batch", ...rollupTableNames],
];
/** Tables that the nodes write, in an order in which each row can be inserted. */
const SAVED_TABLES = ["incarnation", "limits_version", ...FILLED_TABLES];
/** More than a run appends. */
const MAX_BATCHES = 10_000;

/** The product's statements on a real database. The simulation sets its clock. Starts with empty tables. */
export class SqlStore implements SpendStore {
  readonly #database: Database;
  readonly #times: StoreTimes;
  readonly #organizationId: string;
  /** Firings about overruns, by key text, now and at each save. */
  #alerted = new Map<string, ToldOverrun>();
  readonly #savedAlerts = new Map<number, ReadonlyMap<string, ToldOverrun>>();
  #saves = 0;

  private constructor(database: Database, times: StoreTimes, organizationId: string) {
    this.#database = database;
    this.#times = times;
    this.#organizationId = organizationId;
  }

  static async open(
    database: Database,
    times: StoreTimes,
    { organizationId, scopes }: { organizationId: string; scopes: readonly SpendScope[] },
  ): Promise<SqlStore> {
    await inTransaction(database, async (tx) => {
      await sql`SELECT set_config('bursar.may_release_budget', 'on', true)`.execute(tx);
      // After a TRUNCATE all connections would plan their statements again.
      for (const name of FILLED_TABLES) await sql`DELETE FROM ${sql.table(name)}`.execute(tx);
    });
    await sql`UPDATE limits_version SET value = 0`.execute(database);
    await sql`DELETE FROM incarnation WHERE value > 0`.execute(database);
    await sql`UPDATE incarnation SET timeline = ${FIRST_SERVER.timeline},
      system_identifier = ${FIRST_SERVER.systemIdentifier}`.execute(database);
    await sql`CREATE TABLE IF NOT EXISTS saved (id integer PRIMARY KEY, rows jsonb NOT NULL)`.execute(
      database,
    );
    await sql`TRUNCATE saved`.execute(database);
    await database
      .insertInto("organization")
      .values({ id: organizationId, name: "Acme" })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    for (const { workspaceId, apiKeyId } of scopes) {
      await sql`INSERT INTO workspace (id, organization_id, name, display_color)
        VALUES (${workspaceId}, ${organizationId}, ${workspaceId}, '#000000') ON CONFLICT DO NOTHING`.execute(
        database,
      );
      await sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
        VALUES (${apiKeyId}, ${organizationId}, ${workspaceId}, ${apiKeyId}, 'write', 'member', 'user_1')
        ON CONFLICT DO NOTHING`.execute(database);
    }
    await sql`INSERT INTO alert (id, organization_id, name, kind, scope_type, scope_id, includes_below, condition,
        created_at, updated_at)
      VALUES ('alert_overrun', ${organizationId}, 'Overruns', 'limit_overrun', 'organization', ${organizationId}, true,
        '{"kind": "limit_overrun"}', now(), now()) ON CONFLICT DO NOTHING`.execute(database);
    return new SqlStore(database, times, organizationId);
  }

  async enter(nodeId: string): Promise<{ epoch: bigint; flushedSeq: number }> {
    return await enterNode(this.#database, { id: nodeId, journalId: JOURNAL_ID, version: "0" });
  }

  sync(message: SyncMessage, atMs: number): Promise<SyncAnswer> {
    return syncLeases(this.#database, message, { ttlMs: this.#times.ttlMs, atMs });
  }

  draft(message: SyncMessage, atMs: number): Promise<Draft> {
    return draftMessage(this.#database, message, { atMs });
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

  async continueFold(atMs: number): Promise<FoldedNode[]> {
    const { folded, alerted } = await inTransaction(this.#database, (tx) => foldBatches(tx, atMs));
    for (const row of alerted) {
      const key = balanceKeyText(row);
      this.#alerted.set(key, fireOverrun(this.#alerted.get(key), row));
    }
    return folded;
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

  /** Also deletes the balances of scopes without a limit, so that a limit that returns has none. */
  async countLimits(atMs: number): Promise<void> {
    await countLimits(this.#database, { lockFold, fold: () => Promise.resolve(), atMs });
    await deleteUnwatchedBalances(this.#database, { pause: () => Promise.resolve() });
  }

  async foldedSeq(nodeId: string): Promise<number> {
    return (await findFoldedSeq(this.#database, nodeId)) ?? 0;
  }

  async fence(atMs: number): Promise<string[]> {
    await endAwaits(this.#database, { atMs });
    return await fenceSilentNodes(this.#database, { graceMs: this.#times.graceMs, atMs });
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

  async incarnation(): Promise<Incarnation> {
    return await this.#database
      .selectFrom("incarnation")
      .select(["value", "id", "timeline", "system_identifier as systemIdentifier"])
      .orderBy("value", "desc")
      .limit(1)
      .executeTakeFirstOrThrow();
  }

  async raise(raise: StoreRaise, atMs: number): Promise<Incarnation> {
    const { expectedId, known, timeline } = raise;
    const newId = randomUUID();
    await sql`SELECT raise_incarnation(${expectedId}::uuid, ${known}, ${newId}::uuid, 'timeline', '{}',
      ${new Date(atMs)})`.execute(this.#database);
    await sql`UPDATE incarnation SET timeline = ${timeline}, system_identifier = ${FIRST_SERVER.systemIdentifier}
      WHERE id = ${newId}::uuid`.execute(this.#database);
    return await this.incarnation();
  }

  async save(): Promise<SavedRows> {
    this.#saves += 1;
    const rows = SAVED_TABLES.map(
      (name) =>
        sql`${name}::text, (SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM ${sql.table(name)} AS t)`,
    );
    await sql`INSERT INTO saved SELECT ${this.#saves}, jsonb_build_object(${sql.join(rows)})`.execute(
      this.#database,
    );
    this.#savedAlerts.set(this.#saves, new Map(this.#alerted));
    return { id: this.#saves };
  }

  restore({ id }: SavedRows): Promise<void> {
    this.#alerted = new Map(this.#savedAlerts.get(id));
    return inTransaction(this.#database, async (tx) => {
      await sql`SELECT set_config('bursar.may_release_budget', 'on', true)`.execute(tx);
      for (const name of SAVED_TABLES) {
        const table = sql.table(name);
        await sql`DELETE FROM ${table}`.execute(tx);
        await sql`INSERT INTO ${table} OVERRIDING SYSTEM VALUE
          SELECT row.* FROM saved, jsonb_populate_recordset(NULL::${table}, saved.rows -> ${name}) AS row
          WHERE saved.id = ${id}`.execute(tx);
      }
    });
  }

  async snapshot(): Promise<Snapshot> {
    const [balances, leases, nodes, draws, counts] = await Promise.all([
      this.#listBalances(),
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
      balances,
      alerted: new Map(this.#alerted),
      nodes: new Map(
        nodes.map((row) => [
          row.id,
          {
            epoch: row.epoch,
            flushedSeq: Number(row.flushed_seq),
            foldedSeq: Number(row.folded_seq),
            isLive: row.lease_expires_at !== null || row.awaited_until !== null,
            expiresAtMs: row.lease_expires_at?.getTime() ?? null,
            awaitedUntilMs: row.awaited_until?.getTime() ?? null,
          },
        ]),
      ),
    };
  }

  #listNodes() {
    return this.#database
      .selectFrom("node")
      .innerJoin("node_contact as contact", "contact.id", "node.id")
      .select(["node.id", "epoch", "flushed_seq", "folded_seq"])
      .select(["contact.lease_expires_at", "contact.awaited_until"])
      .execute();
  }

  /** Balances of all scopes with spend and of all stored rows, whether a limit watches them or not. */
  async #listBalances(): Promise<Snapshot["balances"]> {
    const organizationId = this.#organizationId;
    const { rows } = await sql<SpendScope & { memberId: string | null; atMs: number }>`
      SELECT hour.organization_id AS "organizationId", workspace_id AS "workspaceId", api_key_id AS "apiKeyId",
        nullif(member_id, '') AS "memberId", string_to_array(group_ids, ',') AS "groupIds",
        string_to_array(tag_ids, ',') AS "tagIds", extract(epoch FROM bucket_at)::float8 * 1000 AS "atMs"
      FROM (
        SELECT organization_id, workspace_id, api_key_id, member_id, bucket_at, cost_nano_usd, '' AS group_ids,
          '' AS tag_ids FROM usage_hour
        UNION
        SELECT hour.organization_id, workspace_id, api_key_id, member_id, bucket_at, cost_nano_usd, group_ids, tag_ids
        FROM usage_attributed_hour AS hour JOIN usage_attribution AS own ON own.id = hour.attribution_id
      ) AS hour WHERE cost_nano_usd > 0`.execute(this.#database);
    const places = new Map<string, SpendPlace>();
    for (const { atMs, memberId, ...chain } of rows) {
      const scope = { ...chain, memberId: memberId ?? undefined };
      for (const period of periodNames) {
        const periodStart = periodOf(period, atMs).start;
        for (const [scopeType, scopeId] of chainOf(scope)) {
          const isInWorkspace = scopeType === "workspace" || scopeType === "api_key";
          const workspaceId = isInWorkspace ? scope.workspaceId : null;
          const key = { scopeType, scopeId, period, periodStart };
          places.set(balanceKeyText(key), { ...key, organizationId, workspaceId });
        }
      }
    }
    for (const row of await this.#database.selectFrom("balance").selectAll().execute()) {
      const key = keyOf(row);
      const text = balanceKeyText(key);
      if (!places.has(text)) places.set(text, { ...key, organizationId, workspaceId: null });
    }
    const balances = await readSpend(this.#database, [...places.values()]);
    return new Map(
      [...balances].map(([text, row]) => [
        text,
        {
          settled: row.settledNanoUsd,
          leased: row.leasedNanoUsd,
          unresolved: row.unresolvedNanoUsd,
          overrun: row.limitOverrunNanoUsd,
        },
      ]),
    );
  }
}

const BROKEN = "the fold is broken off";

interface Fold {
  folded: FoldedNode[];
  /** Overruns that have grown in this fold. */
  alerted: readonly OverrunRow[];
}

async function foldBatches(tx: Tx, atMs: number): Promise<Fold> {
  await lockFold(tx);
  const batches = await listBatches(tx, MAX_BATCHES);
  if (batches.length === 0) return { folded: [], alerted: [] };
  await addToRollups(tx, batches);
  await lockNodes(tx, batches);
  const settled = await settleBatches(tx, batches, { atMs });
  const grown = settled.filter(({ isOverrunGrown }) => isOverrunGrown);
  const alerted = grown.length === 0 ? [] : await listOverruns(tx, grown);
  await deleteBatches(tx, batches);
  const folded = new Map(batches.map(({ nodeId, toSeq }) => [nodeId, toSeq]));
  return {
    folded: [...folded].map(([nodeId, toSeq]) => ({ nodeId, toSeq })),
    alerted,
  };
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
