import type { Database, Tx } from "#src/db/pool.ts";
import { formatLimitMessage } from "#src/domain/limit-message.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { Spent } from "#src/domain/request-spend.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { assert } from "#src/lib/assert.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type Balance, readBalancesAtSeq } from "./balances.sql.ts";
import { type SpendScope, scopeIdsOf } from "./charges.ts";
import type { LeaseSync } from "./lease-sync.ts";
import {
  type FoldedBatch,
  readLimitsVersion,
  type SettledBalance,
  settleBatches,
} from "./leases.sql.ts";
import { listAllSpendLimits, type SpendLimit } from "./limits.sql.ts";
import type { SpendOrigin } from "./pending-spend.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

export interface LedgerOptions {
  database: Database;
  /** Node whose requests this ledger counts. */
  nodeId: string;
  /** Leases and holds of the node, for strict limits. */
  leases: LeaseSync;
  /** The database's clock, which decides periods. Milliseconds since the epoch. */
  databaseNowMs: () => number;
  logger: Logger;
  refreshEveryMs?: number;
}

/** A limit that refuses a request, with its spend at that moment. */
export interface BlockedLimit {
  limit: SpendLimit;
  spentNanoUsd: bigint;
  /** End of the period, milliseconds since the epoch. */
  regainAtMs: number;
}

/** A limit that counts spend. */
export type CountedLimit = Pick<SpendLimit, "scopeType" | "scopeId" | "period" | "amountNanoUsd">;

export type Admission =
  | { kind: "admitted" }
  | ({ kind: "blocked"; message: string } & BlockedLimit);

export interface Ledger {
  /** Loads limits and balances, and refreshes them from then on. The meter starts before. Throws the database's error. */
  start(): Promise<void>;
  /** Checks soft limits, synchronously in memory. `atMs`: time on the database's clock, which decides the periods. */
  admit(scope: SpendScope, atMs: number): Admission;
  /** Lists the soft and strict limits of these scopes that the node knows, in their order. Costs two map lookups for each. */
  listLimits(scopeIds: readonly string[]): CountedLimit[];
  /**
   * Reads changed limits, and the balances of soft limits. The ledger calls it every second, or every ten seconds without
   * soft limits. Throws the database's error.
   */
  refresh(): Promise<void>;
  /** Part of the flush that counts the requests of this node. */
  flushParticipant: SpendFlush;
  /** Records that folds have counted this node's requests up to `foldedSeq`. Never rejects. */
  markFolded(foldedSeq: number): Promise<void>;
  stop(): void;
}

/** Has the type `FlushParticipant` of recording/. */
export interface SpendFlush {
  started(entry: { epoch: bigint; flushedSeq: number; isJournalWhole: boolean }): void;
  prepareRewind(): Promise<void>;
  rewound(flushedSeq: number): void;
  queued(record: EndRecord): void;
  found(spend: SpendOrigin & Spent): void;
  flush(tx: Tx, batch: readonly EndRecord[]): Promise<void>;
  committed(batch: readonly EndRecord[], outcome: { flushedSeq: number; isCounted: boolean }): void;
}

/** Has the type `FoldParticipant` of recording/. */
export interface SpendFold {
  fold(tx: Tx, batches: readonly FoldedBatch[]): Promise<void>;
  /** Balances after the current fold, for later participants of its transaction. */
  settled(): readonly SettledBalance[];
}

const REFRESH_EVERY_MS = 1_000;
/** Without soft limits refreshes are this many times rarer: the change watch calls `refresh` for new limits. */
const IDLE_FACTOR = 10;
/** Highest number of reads in a refresh whose result is older than the last known fold. */
const MAX_READS = 5;
/** Pause before another read, milliseconds. Longer than the response to a commit usually takes. */
const READ_AGAIN_MS = 20;

export function makeLedger(options: LedgerOptions): Ledger {
  return new MemoryLedger(options);
}

/** Makes the part of the fold that settles batches of all nodes. */
export function makeSpendFold(): SpendFold {
  let settled: readonly SettledBalance[] = [];
  return {
    fold: async (tx, batches) => {
      settled = await settleBatches(tx, batches, { atMs: null });
    },
    settled: () => settled,
  };
}

/** A limit, with the settled spend of the last checked period. */
interface Limited {
  limit: SpendLimit;
  period: SpendPeriod;
  settledNanoUsd: bigint;
}

/** Result of a read, with its number in the order of the reads. */
interface ReadSpend {
  number: number;
  limited: Limited[];
  /** Null: no soft limit, or no node. */
  foldedSeq: number | null;
  balances: readonly Balance[];
}

class MemoryLedger implements Ledger {
  readonly flushParticipant: SpendFlush;
  readonly #options: LedgerOptions;
  /** Soft limits at a version, or later. */
  #soft: { version: bigint; limits: readonly SpendLimit[] } | null = null;
  /** Soft limits by scope. */
  #limited = new Map<string, Limited[]>();
  /** Settled spend of limited scopes, by balance key. */
  #settled = new Map<string, bigint>();
  /** Settled spend of a database that went back. */
  #afterRewind: ReadSpend | null = null;
  /** Requests that the current flush appends. */
  #counted: readonly EndRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  #reads = 0;
  #applied = 0;
  /** Interval of the timer, milliseconds. Null: no timer runs. */
  #everyMs: number | null = null;
  /** Result of the newest refresh. */
  #hasFailed: boolean = false;
  #hasStaleFigures: boolean = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.flushParticipant = {
      started: (entry) => options.leases.entered(entry),
      prepareRewind: async () => {
        this.#afterRewind = await this.#read(await readLimitsVersion(options.database));
      },
      rewound: (flushedSeq) => {
        options.leases.rewound(flushedSeq);
        // Spend that the database lost leaves the settled sum in the step in which it is pending again.
        if (this.#afterRewind !== null) this.#apply(this.#afterRewind);
        this.#afterRewind = null;
        this.#adjustTimer();
      },
      queued: (record) => options.leases.queued(record),
      found: (spend) => options.leases.found(spend),
      flush: (_, batch) => {
        this.#counted = batch;
        return Promise.resolve();
      },
      committed: (batch, outcome) => this.#recordCommit(batch, outcome),
    };
  }

  async start(): Promise<void> {
    const version = await readLimitsVersion(this.#options.database);
    assert(await this.#readUntilCurrent(version), "the meter starts before the ledger");
    this.#startTimer();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#everyMs = null;
  }

  admit(scope: SpendScope, atMs: number): Admission {
    if (this.#limited.size === 0) return ADMITTED;
    for (const scopeId of scopeIdsOf(scope)) {
      const limited = this.#limited.get(scopeId);
      const blocked = limited && this.#findLatestBlocked(limited, atMs);
      if (blocked) return { kind: "blocked", message: messageOf(blocked), ...blocked };
    }
    return ADMITTED;
  }

  listLimits(scopeIds: readonly string[]): CountedLimit[] {
    const found: CountedLimit[] = [];
    for (const scopeId of scopeIds) {
      for (const { limit } of this.#limited.get(scopeId) ?? []) found.push(limit);
      found.push(...this.#options.leases.listLimits(scopeId));
    }
    return found;
  }

  async refresh(): Promise<void> {
    try {
      const version = await readLimitsVersion(this.#options.database);
      await Promise.all([this.#options.leases.refresh(version), this.#readUntilCurrent(version)]);
      this.#hasFailed = false;
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    } finally {
      this.#adjustTimer();
    }
  }

  #adjustTimer(): void {
    if (this.#timer !== null) this.#startTimer();
  }

  /** Starts the timer of refreshes, or changes its interval. */
  #startTimer(): void {
    const { refreshEveryMs = REFRESH_EVERY_MS } = this.#options;
    const isIdle = this.#limited.size === 0 && !this.#hasFailed;
    const everyMs = refreshEveryMs * (isIdle ? IDLE_FACTOR : 1);
    if (everyMs === this.#everyMs) return;
    this.stop();
    this.#everyMs = everyMs;
    this.#timer = setInterval(() => void this.#refreshQuietly(), everyMs);
    this.#timer.unref();
  }

  async #readUntilCurrent(version: bigint): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_READS; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MS));
      if (await this.#readAndApply(version)) return true;
    }
    return false;
  }

  async #readSoftLimits(version: bigint): Promise<readonly SpendLimit[]> {
    if (this.#soft?.version === version) return this.#soft.limits;
    const limits = (await listAllSpendLimits(this.#options.database)).filter(isSoft);
    this.#soft = { version, limits };
    return limits;
  }

  /** Finds the blocked limit with the latest period end. Access returns at that time. */
  #findLatestBlocked(limited: readonly Limited[], atMs: number): BlockedLimit | null {
    let latest: BlockedLimit | null = null;
    for (const each of limited) {
      const spentNanoUsd = this.#computeSpend(each, atMs);
      if (spentNanoUsd < each.limit.amountNanoUsd) continue;
      const regainAtMs = each.period.endMs;
      if (latest === null || regainAtMs > latest.regainAtMs) {
        latest = { limit: each.limit, spentNanoUsd, regainAtMs };
      }
    }
    return latest;
  }

  #computeSpend(limited: Limited, atMs: number): bigint {
    if (atMs < limited.period.startMs || atMs >= limited.period.endMs) {
      limited.period = periodOf(limited.limit.period, atMs);
      limited.settledNanoUsd = this.#settled.get(balanceKeyText(keyOf(limited))) ?? 0n;
    }
    const { scopeId } = limited.limit;
    const { startMs, endMs } = limited.period;
    const { pending } = this.#options.leases;
    return limited.settledNanoUsd + pending.sum({ scopeId, startMs, endMs });
  }

  /** Appended requests stay pending until a fold counts them. Requests that no fold counts leave at once. */
  #recordCommit(
    batch: readonly EndRecord[],
    { flushedSeq: seq, isCounted }: { flushedSeq: number; isCounted: boolean },
  ): void {
    const counted = new Set(isCounted ? this.#counted : []);
    this.#counted = [];
    this.#options.leases.appended(batch, { seq, isCounted: (record) => counted.has(record) });
  }

  async markFolded(foldedSeq: number): Promise<void> {
    const { leases } = this.#options;
    if (foldedSeq <= leases.pending.foldedSeq) return;
    // Spend must leave the pending sum and reach the settled sum in the same step. The read does both.
    if (this.#limited.size > 0) await this.#refreshQuietly();
    else leases.folded(foldedSeq);
  }

  /**
   * Reads settled spend and the folded position in one snapshot, and applies both, so that each request counts once. False:
   * the result is too old, because a later position is known, or because the database went back.
   */
  async #readAndApply(version: bigint): Promise<boolean> {
    const { pending } = this.#options.leases;
    const { rewinds } = pending;
    const read = await this.#read(version);
    if (rewinds !== pending.rewinds) return false;
    if (read.foldedSeq !== null && read.foldedSeq < pending.foldedSeq) return false;
    // A later read has finished before, and has newer values.
    if (read.number >= this.#applied) this.#apply(read);
    return true;
  }

  async #read(version: bigint): Promise<ReadSpend> {
    this.#reads += 1;
    const number = this.#reads;
    const { database, nodeId } = this.#options;
    const limits = await this.#readSoftLimits(version);
    const atMs = this.#options.databaseNowMs();
    const limited = limits.map((limit) => ({
      limit,
      period: periodOf(limit.period, atMs),
      settledNanoUsd: 0n,
    }));
    const keys = limited.map(keyOf);
    const read =
      keys.length === 0 ? NO_BALANCES : await readBalancesAtSeq(database, { nodeId, keys });
    return { number, limited, ...read };
  }

  #apply({ number, limited, foldedSeq, balances }: ReadSpend): void {
    this.#applied = number;
    if (foldedSeq !== null) this.#options.leases.folded(foldedSeq);
    this.#settled = new Map(
      balances.map((balance) => [balanceKeyText(balance), balance.settledNanoUsd]),
    );
    for (const each of limited) {
      each.settledNanoUsd = this.#settled.get(balanceKeyText(keyOf(each))) ?? 0n;
    }
    this.#limited = Map.groupBy(limited, ({ limit }) => limit.scopeId);
  }

  async #refreshQuietly(): Promise<void> {
    try {
      await this.refresh();
      if (this.#hasStaleFigures) this.#options.logger.info("spend limits can be read again");
      this.#hasStaleFigures = false;
    } catch (error) {
      if (!this.#hasStaleFigures) {
        this.#options.logger.warn(
          { err: error },
          "spend limits cannot be read: the last known ones apply",
        );
      }
      this.#hasStaleFigures = true;
    }
  }
}

function isSoft({ enforcement }: SpendLimit): boolean {
  return enforcement === "soft";
}

const ADMITTED: Admission = { kind: "admitted" };

const NO_BALANCES = { foldedSeq: null, balances: [] };

function messageOf({ limit, spentNanoUsd, regainAtMs }: BlockedLimit): string {
  return formatLimitMessage({
    ...limit,
    limitNanoUsd: limit.amountNanoUsd,
    spentNanoUsd,
    regainAtMs,
  });
}

function keyOf({ limit, period }: Limited): BalanceKey {
  const { scopeType, scopeId } = limit;
  return { scopeType, scopeId, period: limit.period, periodStart: period.start };
}
