import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Changed } from "#src/db/change-watch.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import type { Logger } from "#src/lib/logger.ts";
import { findOverrunFirings } from "./fire-overruns.ts";
import { fireRows, thresholdsOf, toFirings, toWatchedSpend } from "./fire-spend.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";
import { createSavepoint, releaseSavepoint, rollBackToSavepoint } from "./savepoint.sql.ts";
import { findNextThreshold } from "./spend-thresholds.rule.ts";
import { listWatchedRows, type SpendPlace, type WatchedRow } from "./watched-spend.sql.ts";

// Alerts about spend, evaluated in the transaction of the fold. Folds follow one another, so one of them sees each
// crossing.

export interface SpendAlertsOptions {
  database: Database;
  deps: AlertingDeps;
  /** Balances after the current fold, in its transaction. */
  settled: () => readonly SettledBalance[];
  logger: Logger;
}

export interface SettledBalance extends SpendPlace {
  settledNanoUsd: bigint;
  /** The current fold settled more than a strict limit allows. */
  isOverrunGrown: boolean;
}

/** A strict limit that refuses, because its rest is less than any request can cost. */
export interface ReachedLimit {
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  /** Workspace of the refused request, not of the scope. */
  workspaceId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
}

export interface SpendAlerts {
  /** Part of the fold, after the ledger's part. Has the type `FoldParticipant` of recording/. */
  participant: {
    fold(tx: Tx, batches: readonly { id: bigint }[]): Promise<void>;
    committed(): void;
  };
  /** Called for each refusal. Synchronous and cheap. */
  reportReachedLimit(limit: ReachedLimit): void;
  /** Clears the cache if alerts or limits may have changed. */
  forget(changed: Changed): void;
  /** Fires the reported limits. Without the database they are lost. */
  stop(): Promise<void>;
}

/** Maximum balances in the cache: a day of ten thousand keys. A full cache is cleared. */
const MAX_KNOWN = 100_000;
/** Delay that collects a burst of refusals. */
const FIRE_REACHED_AFTER_MS = 100;
/** Alerts are skipped for this time after a failure, so that folds continue. The sweep or a later fold fires them. */
const QUIET_AFTER_FAILURE_MS = 10_000;

export function makeSpendAlerts(options: SpendAlertsOptions): SpendAlerts {
  return new NodeSpendAlerts(options);
}

class NodeSpendAlerts implements SpendAlerts {
  readonly participant: SpendAlerts["participant"];
  readonly #options: SpendAlertsOptions;
  /** Next amount that fires, by balance. Null: none. A missing balance is read from the database. */
  #next = new Map<string, bigint | null>();
  /** Result of the current fold. Cached after the commit, unless the cache was cleared meanwhile. */
  #found: { next: Map<string, bigint | null>; into: Map<string, bigint | null> } | null = null;
  #quietUntilMs = 0;
  /** Limits whose refusals are already queued or fired. */
  #reached = new Set<string>();
  #waiting: ReachedLimit[] = [];
  #timer: NodeJS.Timeout | null = null;
  #firing: Promise<void> = Promise.resolve();

  constructor(options: SpendAlertsOptions) {
    this.#options = options;
    this.participant = {
      fold: (tx, batches) => this.#fold(tx, batches),
      committed: () => {
        if (this.#found?.into === this.#next) {
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

  reportReachedLimit(limit: ReachedLimit): void {
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

  async #fold(tx: Tx, batches: readonly { id: bigint }[]): Promise<void> {
    this.#found = null;
    const { settled, deps } = this.#options;
    const places = settled().filter((balance) => this.#isNear(balance));
    const grown = settled().filter(({ isOverrunGrown }) => isOverrunGrown);
    if (places.length + grown.length === 0 || deps.nowMs() < this.#quietUntilMs) return;
    const next = new Map<string, bigint | null>(places.map((place) => [keyOf(place), null]));
    const into = this.#next.size >= MAX_KNOWN ? new Map() : this.#next;
    await this.#continueOnFailure(tx, async () => {
      const rows = places.length === 0 ? [] : await listWatchedRows(tx, places);
      const ids = batches.map(({ id }) => id);
      const overruns = await findOverrunFirings(tx, grown, ids);
      await recordFirings(tx, deps, [...overruns, ...rows.flatMap((row) => toFirings(row))]);
      for (const row of rows) lowerNextThreshold(next, row);
      this.#next = into;
      this.#found = { next, into };
    });
  }

  #isNear(balance: SettledBalance): boolean {
    const next = this.#next.get(keyOf(balance));
    return next === undefined || (next !== null && balance.settledNanoUsd >= next);
  }

  /** A failure undoes the firings only. The batches are still counted. */
  async #continueOnFailure(tx: Tx, work: () => Promise<void>): Promise<void> {
    await createSavepoint(tx);
    try {
      await work();
      await releaseSavepoint(tx);
    } catch (error) {
      // Without a connection the rollback fails, and so does the fold.
      await rollBackToSavepoint(tx);
      this.#found = null;
      this.#quietUntilMs = this.#options.deps.nowMs() + QUIET_AFTER_FAILURE_MS;
      this.#options.logger.error({ err: error }, "spend alerts not fired");
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
    // A limit with another amount is not the one that refused.
    const isReached = (row: WatchedRow) =>
      row.enforcement === "strict" && amounts.get(keyOf(row)) === row.limitNanoUsd;
    try {
      await inTransaction(database, async (tx) => {
        const rows = await listWatchedRows(
          tx,
          limits.map((limit) => this.#placeOf(limit)),
        );
        await fireRows(tx, deps, rows, isReached);
      });
    } catch (error) {
      logger.warn({ err: error }, "alerts about reached limits not fired");
      // The next refusal retries.
      this.#reached = new Set();
    }
  }

  #placeOf(limit: ReachedLimit): SpendPlace {
    const { organizationId, scopeType, scopeId, period } = limit;
    const isInWorkspace = scopeType === "workspace" || scopeType === "api_key";
    const workspaceId = isInWorkspace ? limit.workspaceId : null;
    const periodStart = periodOf(period, this.#options.deps.nowMs()).start;
    return { organizationId, scopeType, scopeId, workspaceId, period, periodStart };
  }
}

function lowerNextThreshold(next: Map<string, bigint | null>, row: WatchedRow): void {
  const key = keyOf(row);
  const mine = findNextThreshold(thresholdsOf(row.condition), toWatchedSpend(row));
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

/** Changes of alerts and limits have only an id, because no cached key depends on them. */
function isAboutAlerts(changed: Changed): boolean {
  if (changed === "anything") return true;
  return changed.some(
    ({ id }) => id.startsWith(idPrefixes.alert) || id.startsWith(idPrefixes.spendLimit),
  );
}
