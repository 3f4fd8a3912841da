import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Changed } from "#src/db/change-watch.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import type { Logger } from "#src/lib/logger.ts";
import { findOverrunFirings } from "./fire-overruns.ts";
import { fireRows, spendOf, thresholdsOf, toFirings } from "./fire-spend.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";
import { releaseFirings, rollBackFirings, saveBeforeFirings } from "./savepoint.sql.ts";
import { nextThreshold } from "./spend-thresholds.rule.ts";
import { listWatchedOf, type SpendPlace, type WatchedRow } from "./watched-spend.sql.ts";

// Alerts about spend, found where spend is counted: in the transaction of the flush, on the balances that it wrote and
// holds the locks of. Two nodes that add to one balance follow one another there, so one of them sees each crossing.

export interface SpendAlertsOptions {
  database: Database;
  deps: AlertingDeps;
  /** Balances as the flush under way left them, in its transaction. */
  settled: () => readonly SettledBalance[];
  logger: Logger;
}

export interface SettledBalance extends Omit<SpendPlace, "workspaceId"> {
  settledNanoUsd: bigint;
  /** The flush under way settled more than a strict limit allows. */
  isOverrunGrown: boolean;
}

/** A strict limit that refuses because less is left of it than any request can cost. */
export interface ReachedLimit {
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  /** Of the request that was refused. */
  workspaceId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
}

export interface SpendAlerts {
  /** The part of the flush, behind the ledger's. Fits `FlushParticipant` of recording/. */
  participant: {
    flush(tx: Tx, batch: readonly EndRecord[]): Promise<void>;
    committed(batch: readonly EndRecord[], outcome: { isCounted: boolean }): void;
  };
  /** Synchronous and cheap: called for each refusal. */
  noteReached(limit: ReachedLimit): void;
  /** Where alerts or limits may have changed, nothing that was known of them is true any more. */
  forget(changed: Changed): void;
  /** What was noted is fired, or lost with the database. */
  stop(): Promise<void>;
}

/** Balances of which the node knows what comes next; a day of ten thousand keys. Beyond that it begins anew. */
const MAX_KNOWN = 100_000;
/** Refusals come in bursts. */
const FIRE_REACHED_AFTER_MS = 100;
/** Alerts that cannot be fired do not hold up what counts money: the sweep of every
 * minute finds them, or a later flush. */
const QUIET_AFTER_FAILURE_MS = 10_000;

export function makeSpendAlerts(options: SpendAlertsOptions): SpendAlerts {
  return new NodeSpendAlerts(options);
}

class NodeSpendAlerts implements SpendAlerts {
  readonly participant: SpendAlerts["participant"];
  readonly #options: SpendAlertsOptions;
  /** By balance: the amount at which something fires next, null where nothing does. Unknown is looked up. */
  #next = new Map<string, bigint | null>();
  /** What the flush under way has found out; known once it is committed, unless it was forgotten meanwhile. */
  #found: { next: Map<string, bigint | null>; into: Map<string, bigint | null> } | null = null;
  #quietUntilMs = 0;
  /** Limits whose refusals have been seen to. */
  #reached = new Set<string>();
  #waiting: ReachedLimit[] = [];
  #timer: NodeJS.Timeout | null = null;
  #firing: Promise<void> = Promise.resolve();

  constructor(options: SpendAlertsOptions) {
    this.#options = options;
    this.participant = {
      flush: (tx, batch) => this.#flush(tx, batch),
      committed: (_, { isCounted }) => {
        if (isCounted && this.#found?.into === this.#next) {
          for (const [key, next] of this.#found.next) this.#next.set(key, next);
        }
        this.#found = null;
      },
    };
  }

  forget(changed: Changed): void {
    if (!isAboutAlerts(changed)) return;
    this.#next = new Map();
    this.#reached = new Set();
  }

  noteReached(limit: ReachedLimit): void {
    const key = `${keyOf(this.#placeOf(limit))}\n${limit.amountNanoUsd}`;
    if (this.#reached.has(key)) return;
    if (this.#reached.size >= MAX_KNOWN) this.#reached = new Set();
    this.#reached.add(key);
    this.#waiting.push(limit);
    this.#timer ??= setTimeout(() => this.#fireWaiting(), FIRE_REACHED_AFTER_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#fireWaiting();
    await this.#firing;
  }

  async #flush(tx: Tx, batch: readonly EndRecord[]): Promise<void> {
    this.#found = null;
    const { settled, deps } = this.#options;
    const near = settled().filter((balance) => this.#isNear(balance));
    const grown = settled().filter(({ isOverrunGrown }) => isOverrunGrown);
    if (near.length + grown.length === 0 || deps.nowMs() < this.#quietUntilMs) return;
    const workspaceOf = new Map(batch.map((record) => [record.apiKeyId, record.workspaceId]));
    const places = near.map((balance) => ({
      ...balance,
      workspaceId:
        balance.scopeType === "api_key"
          ? (workspaceOf.get(balance.scopeId) ?? null)
          : balance.scopeType === "workspace"
            ? balance.scopeId
            : null,
    }));
    const next = new Map<string, bigint | null>(near.map((balance) => [keyOf(balance), null]));
    const into = this.#next.size >= MAX_KNOWN ? new Map() : this.#next;
    await this.#continueOnFailure(tx, async () => {
      const rows = places.length === 0 ? [] : await listWatchedOf(tx, places);
      const overruns = await findOverrunFirings(tx, grown);
      await recordFirings(tx, deps, [...overruns, ...rows.flatMap((row) => toFirings(row))]);
      for (const row of rows) lower(next, row);
      this.#next = into;
      this.#found = { next, into };
    });
  }

  #isNear(balance: SettledBalance): boolean {
    const next = this.#next.get(keyOf(balance));
    return next === undefined || (next !== null && balance.settledNanoUsd >= next);
  }

  /** What fails here fails alone: the batch is counted all the same. */
  async #continueOnFailure(tx: Tx, work: () => Promise<void>): Promise<void> {
    await saveBeforeFirings(tx);
    try {
      await work();
      await releaseFirings(tx);
    } catch (error) {
      // Where the connection is gone this fails too, and with it the flush.
      await rollBackFirings(tx);
      this.#found = null;
      this.#quietUntilMs = this.#options.deps.nowMs() + QUIET_AFTER_FAILURE_MS;
      this.#options.logger.error({ err: error }, "alerts about spend could not fire");
    }
  }

  #fireWaiting(): void {
    this.#timer = null;
    const limits = this.#waiting.splice(0);
    if (limits.length === 0) return;
    this.#firing = this.#firing.then(() => this.#fireReached(limits));
  }

  async #fireReached(limits: readonly ReachedLimit[]): Promise<void> {
    const { database, deps, logger } = this.#options;
    const amounts = new Map(
      limits.map((limit) => [keyOf(this.#placeOf(limit)), limit.amountNanoUsd]),
    );
    // Another limit by now is not the one that refused.
    const isReached = (row: WatchedRow) =>
      row.enforcement === "strict" && amounts.get(keyOf(row)) === row.limitNanoUsd;
    try {
      await inTransaction(database, async (tx) => {
        const rows = await listWatchedOf(
          tx,
          limits.map((limit) => this.#placeOf(limit)),
        );
        await fireRows(tx, deps, rows, isReached);
      });
    } catch (error) {
      logger.warn({ err: error }, "alerts about reached limits could not fire");
      // The next refusal tries again.
      this.#reached = new Set();
    }
  }

  #placeOf(limit: ReachedLimit): SpendPlace {
    const { organizationId, scopeType, scopeId, period } = limit;
    const workspaceId = scopeType === "organization" ? null : limit.workspaceId;
    const periodStart = periodOf(period, this.#options.deps.nowMs()).start;
    return { organizationId, scopeType, scopeId, workspaceId, period, periodStart };
  }
}

function lower(next: Map<string, bigint | null>, row: WatchedRow): void {
  const key = keyOf(row);
  const mine = nextThreshold(thresholdsOf(row.condition), spendOf(row));
  const least = next.get(key) ?? null;
  if (mine !== null && (least === null || mine < least)) next.set(key, mine);
}

function keyOf({
  scopeType,
  scopeId,
  period,
  periodStart,
}: Omit<SpendPlace, "workspaceId" | "organizationId">) {
  return `${scopeType}\n${scopeId}\n${period}\n${periodStart}`;
}

/** Changes of either name their id alone: no key depends on them. */
function isAboutAlerts(changed: Changed): boolean {
  if (changed === "anything") return true;
  return changed.some(
    ({ id }) => id.startsWith(idPrefixes.alert) || id.startsWith(idPrefixes.spendLimit),
  );
}
