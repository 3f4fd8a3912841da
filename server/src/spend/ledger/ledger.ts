import type { Database, Tx } from "#src/db/pool.ts";
import { formatLimitMessage } from "#src/domain/limit-message.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { assert } from "#src/lib/assert.ts";
import type { Logger } from "#src/lib/logger.ts";
import { readBalancesAtSeq } from "./balances.sql.ts";
import { type SpendScope, scopeIdsOf } from "./charges.ts";
import type { LeaseSync } from "./lease-sync.ts";
import { readLimitsVersion, type SettledBalance, settleBatch } from "./leases.sql.ts";
import { listAllSpendLimits, type SpendLimit } from "./limits.sql.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

export interface LedgerOptions {
  database: Database;
  /** The node whose flushes this ledger takes part in. */
  nodeId: string;
  /** Strict limits: what the node has leased, and what its requests hold. */
  leases: LeaseSync;
  /** The database's clock, milliseconds since the epoch: periods are its periods. */
  databaseNowMs: () => number;
  logger: Logger;
  refreshEveryMs?: number;
}

/** A limit that refuses, as it stood at that moment. */
export interface BlockedLimit {
  limit: SpendLimit;
  spentNanoUsd: bigint;
  /** End of the period, milliseconds since the epoch. */
  regainAtMs: number;
}

export type Admission =
  | { kind: "admitted" }
  | ({ kind: "blocked"; message: string } & BlockedLimit);

export interface Ledger {
  /** After the meter's start. Loads limits and balances and keeps them fresh from then on. Throws the database's error. */
  start(): Promise<void>;
  /** Soft limits only. Synchronous, no round trip. `atMs` on the database's clock decides the periods. */
  admit(scope: SpendScope, atMs: number): Admission;
  /**
   * Reads limits, where they have changed, and balances again: after a change, and by itself every second. Throws the
   * database's error.
   */
  refresh(): Promise<void>;
  /** The ledger's part of the flush. It locks balances, so it comes last in the list. */
  spendParticipant: SpendParticipant;
  stop(): void;
}

/** Fits `FlushParticipant` of recording/, which says when each is called. */
export interface SpendParticipant {
  started(entry: { epoch: bigint; flushedSeq: number; isJournalWhole: boolean }): void;
  queued(record: EndRecord): void;
  flush(tx: Tx, batch: readonly EndRecord[]): Promise<void>;
  committed(batch: readonly EndRecord[], outcome: { flushedSeq: number; isCounted: boolean }): void;
  /** Balances as the flush under way left them: for who comes behind the ledger in the same transaction. */
  settled(): readonly SettledBalance[];
}

const REFRESH_EVERY_MS = 1_000;
/** A refresh that met a flush is read again; after that many times the next second's has to do. */
const MAX_READS = 5;
/** What the answer of a commit takes to arrive, generously. */
const READ_AGAIN_MS = 20;

export function makeLedger(options: LedgerOptions): Ledger {
  return new MemoryLedger(options);
}

/** A limit and, for the period last looked at, what is settled there. */
interface Limited {
  limit: SpendLimit;
  period: SpendPeriod;
  settledNanoUsd: bigint;
}

class MemoryLedger implements Ledger {
  readonly spendParticipant: SpendParticipant;
  readonly #options: LedgerOptions;
  /** As they stood at a version of limits, or later. */
  #soft: { version: bigint; limits: readonly SpendLimit[] } | null = null;
  /** By scope; only scopes with a limit. */
  #limited = new Map<string, Limited[]>();
  /** Settled spend of limited scopes, by balance key. */
  #settled = new Map<string, bigint>();
  /** What the database has of this node: settled spend counts ends up to here, pending spend those above. */
  #flushedSeq = 0;
  /** Balances as the flush under way left them, until it is known to be committed, and what it counted. */
  #written: SettledBalance[] = [];
  #counted: readonly EndRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  #reads = 0;
  #applied = 0;
  #hasStaleFigures: boolean = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.spendParticipant = {
      started: (entry) => {
        this.#flushedSeq = entry.flushedSeq;
        options.leases.entered(entry);
      },
      queued: (record) => options.leases.queued(record),
      flush: async (tx, batch) => {
        this.#written = [];
        this.#counted = batch;
        this.#written = await settleBatch(tx, options.nodeId, batch, { atMs: null });
      },
      committed: (batch, outcome) => this.#commit(batch, outcome),
      settled: () => this.#written,
    };
  }

  async start(): Promise<void> {
    const version = await readLimitsVersion(this.#options.database);
    assert(await this.#read(version), "the meter starts before the ledger");
    const everyMs = this.#options.refreshEveryMs ?? REFRESH_EVERY_MS;
    this.#timer = setInterval(() => void this.#refreshQuietly(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  admit(scope: SpendScope, atMs: number): Admission {
    if (this.#limited.size === 0) return ADMITTED;
    for (const scopeId of scopeIdsOf(scope)) {
      const limited = this.#limited.get(scopeId);
      const blocked = limited && this.#latestBlocked(limited, atMs);
      if (blocked) return { kind: "blocked", message: messageOf(blocked), ...blocked };
    }
    return ADMITTED;
  }

  async refresh(): Promise<void> {
    const version = await readLimitsVersion(this.#options.database);
    await Promise.all([this.#options.leases.refresh(version), this.#read(version)]);
  }

  async #read(version: bigint): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_READS; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MS));
      if (await this.#readAndApply(version)) return true;
    }
    return false;
  }

  async #limitsAt(version: bigint): Promise<readonly SpendLimit[]> {
    if (this.#soft?.version === version) return this.#soft.limits;
    const limits = (await listAllSpendLimits(this.#options.database)).filter(isSoft);
    this.#soft = { version, limits };
    return limits;
  }

  /** Of the limits of one scope that refuse, the one that refuses longest: its date is when access returns. */
  #latestBlocked(limited: readonly Limited[], atMs: number): BlockedLimit | null {
    let latest: BlockedLimit | null = null;
    for (const each of limited) {
      const spentNanoUsd = this.#spent(each, atMs);
      if (spentNanoUsd < each.limit.amountNanoUsd) continue;
      const regainAtMs = each.period.endMs;
      if (latest === null || regainAtMs > latest.regainAtMs) {
        latest = { limit: each.limit, spentNanoUsd, regainAtMs };
      }
    }
    return latest;
  }

  #spent(limited: Limited, atMs: number): bigint {
    if (atMs < limited.period.startMs || atMs >= limited.period.endMs) {
      limited.period = periodOf(limited.limit.period, atMs);
      limited.settledNanoUsd = this.#settled.get(balanceKeyText(keyOf(limited))) ?? 0n;
    }
    const { scopeId } = limited.limit;
    const { startMs, endMs } = limited.period;
    const { pending } = this.#options.leases;
    return limited.settledNanoUsd + pending.sum({ scopeId, startMs, endMs });
  }

  /** In one synchronous step the batch moves from pending to settled: no moment counts it twice or not at all. */
  #commit(
    batch: readonly EndRecord[],
    { flushedSeq, isCounted }: { flushedSeq: number; isCounted: boolean },
  ): void {
    this.#flushedSeq = flushedSeq;
    const counted = new Set(isCounted ? this.#counted : []);
    const isDrawn = (record: EndRecord) => counted.has(record);
    this.#options.leases.committed(batch, { flushedSeq, isDrawn });
    this.#counted = [];
    for (const balance of isCounted ? this.#written : []) {
      const limited = this.#limited.get(balance.scopeId);
      if (limited === undefined) continue;
      this.#settled.set(balanceKeyText(balance), balance.settledNanoUsd);
      for (const each of limited) {
        const isSame =
          each.limit.period === balance.period && each.period.start === balance.periodStart;
        if (isSame) each.settledNanoUsd = balance.settledNanoUsd;
      }
    }
    this.#written = [];
  }

  /**
   * False when the answer cannot be used: it was read on one side of a flush of this node and arrived on the other, so
   * that its settled spend and the pending spend here would count a batch twice or not at all.
   */
  async #readAndApply(version: bigint): Promise<boolean> {
    this.#reads += 1;
    const read = this.#reads;
    const { database, nodeId } = this.#options;
    const limits = await this.#limitsAt(version);
    const atMs = this.#options.databaseNowMs();
    const limited = limits.map((limit) => ({
      limit,
      period: periodOf(limit.period, atMs),
      settledNanoUsd: 0n,
    }));
    const keys = limited.map(keyOf);
    const { flushedSeq, balances } =
      keys.length === 0 ? NO_BALANCES : await readBalancesAtSeq(database, { nodeId, keys });
    if (flushedSeq !== null && flushedSeq !== this.#flushedSeq) return false;
    // A later read was faster: what it brought is newer.
    if (read < this.#applied) return true;
    this.#applied = read;
    this.#settled = new Map(
      balances.map((balance) => [balanceKeyText(balance), balance.settledNanoUsd]),
    );
    for (const each of limited) {
      each.settledNanoUsd = this.#settled.get(balanceKeyText(keyOf(each))) ?? 0n;
    }
    this.#limited = Map.groupBy(limited, ({ limit }) => limit.scopeId);
    return true;
  }

  async #refreshQuietly(): Promise<void> {
    try {
      await this.refresh();
      if (this.#hasStaleFigures) this.#options.logger.info("spend limits are read again");
      this.#hasStaleFigures = false;
    } catch (error) {
      if (!this.#hasStaleFigures) {
        this.#options.logger.warn(
          { err: error },
          "spend limits cannot be read: the last ones hold",
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

const NO_BALANCES = { flushedSeq: null, balances: [] };

function messageOf({ limit, spentNanoUsd, regainAtMs }: BlockedLimit): string {
  const { scopeType, scopeId, period, amountNanoUsd } = limit;
  return formatLimitMessage({
    scopeType,
    scopeId,
    period,
    limitNanoUsd: amountNanoUsd,
    spentNanoUsd,
    regainAtMs,
  });
}

function keyOf({ limit, period }: Limited): BalanceKey {
  const { scopeType, scopeId } = limit;
  return { scopeType, scopeId, period: limit.period, periodStart: period.start };
}
