import { LRUCache } from "lru-cache";
import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { OwnCap } from "#src/domain/own-caps.ts";
import { msFromIsoDate, type PeriodName, periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { Clock } from "#src/lib/clock.ts";
import { isDoneWithin } from "#src/lib/is-done-within.ts";
import { readBalancesAtSeq, readSpend, type SpendPlace } from "./balances.sql.ts";
import type { Ledger } from "./ledger.ts";
import type { PendingSpend } from "./pending-spend.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

// Spend of people under their own caps, for the clients of laptops. The node knows all limits, so a person without a cap costs
// two lookups in maps. For the others, one statement a second at most reads the balances of all that are in use.

export interface PersonSpendOptions {
  database: Database;
  /** Node whose pending spend is added to the balances. */
  nodeId: string;
  ledger: Pick<Ledger, "listLimits">;
  pending: Pick<PendingSpend, "sum" | "batchesUpTo" | "foldedSeq">;
  /** Milliseconds since the epoch on the database's clock, which decides periods. */
  databaseNowMs: () => number;
  clock: Clock;
}

/** A person, and the Claude Code key of their laptop. */
export interface PersonScope {
  organizationId: string;
  memberId: string;
  apiKeyId: string;
}

/** Age from which figures are read again, milliseconds. */
const FRESH_MS = 1_000;
/** Age up to which figures are shown while the database is away, milliseconds. */
const SHOWN_MS = 120_000;
/** Longest wait for the database, milliseconds. Clients wait 5 s. */
const WAIT_MS = 2_500;
/** Reads that can be repeated because a fold was known before their result. */
const MAX_LATE_READS = 3;
const MAX_KEYS_PER_READ = 1_000;
const MAX_FIGURES = 50_000;
const MAX_UNCAPPED = 10_000;

interface Figure {
  spentNanoUsd: bigint;
  /** Time of the read on the monotonic clock, milliseconds. */
  readMs: number;
}

interface CapKey {
  key: BalanceKey;
  text: string;
  cap: Omit<OwnCap, "spentNanoUsd">;
}

type SpentByPeriod = Record<PeriodName, bigint>;

export class PersonSpend {
  readonly #options: PersonSpendOptions;
  readonly #figures = new LRUCache<string, Figure>({ max: MAX_FIGURES });
  readonly #uncapped = new LRUCache<string, Promise<SpentByPeriod>>({
    max: MAX_UNCAPPED,
    ttl: 2 * FRESH_MS,
  });
  readonly #wanted = new Map<string, BalanceKey>();
  #reading: Promise<void> | null = null;

  constructor(options: PersonSpendOptions) {
    this.#options = options;
  }

  /** Starts a read of figures that are old, so that they are known when the response starts. Never waits. */
  prepare(person: PersonScope): void {
    const keys = this.#listCaps(person);
    if (keys.length > 0) this.#want(keys)?.catch(() => undefined);
  }

  /** Returns the caps of the person. Null: their spend is not known. Never waits. */
  findCaps(person: PersonScope): OwnCap[] | null {
    const oldestMs = this.#options.clock.monotonicMs() - SHOWN_MS;
    const caps: OwnCap[] = [];
    for (const { text, cap } of this.#listCaps(person)) {
      const figure = this.#figures.get(text);
      if (figure === undefined || figure.readMs < oldestMs) return null;
      caps.push({ ...cap, spentNanoUsd: figure.spentNanoUsd });
    }
    return caps;
  }

  /** Returns the caps of the person, read a second ago at most. Throws a 503 without the database. */
  async readCaps(person: PersonScope): Promise<OwnCap[]> {
    const keys = this.#listCaps(person);
    if (keys.length === 0) return [];
    await waitForDatabase(this.#want(keys) ?? Promise.resolve());
    const caps = this.findCaps(person);
    // A limit that was set during the read has no figure yet.
    if (caps === null) throw makeUnavailableError();
    return caps;
  }

  /** Returns the spend of the person in the current periods, two seconds old at most. Throws a 503 without the database. */
  async readSpend({ organizationId, memberId }: PersonScope): Promise<SpentByPeriod> {
    const cached = this.#uncapped.get(memberId);
    if (cached !== undefined) return waitForDatabase(cached);
    const { database, databaseNowMs } = this.#options;
    const atMs = databaseNowMs();
    const places = periodNames.map((period): SpendPlace => {
      const periodStart = periodOf(period, atMs).start;
      const scope = { scopeType: "member", scopeId: memberId } as const;
      return { organizationId, workspaceId: null, ...scope, period, periodStart };
    });
    const read = readSpend(database, places).then((balances) => {
      const spent: SpentByPeriod = { daily: 0n, weekly: 0n, monthly: 0n };
      for (const { period, settledNanoUsd } of balances.values()) spent[period] = settledNanoUsd;
      return spent;
    });
    this.#uncapped.set(memberId, read);
    read.catch(() => this.#uncapped.delete(memberId));
    return waitForDatabase(read);
  }

  #listCaps({ memberId, apiKeyId }: PersonScope): CapKey[] {
    const limits = this.#options.ledger.listLimits([memberId, apiKeyId]);
    if (limits.length === 0) return NO_CAPS;
    const atMs = this.#options.databaseNowMs();
    return limits.map(({ scopeType, scopeId, period, amountNanoUsd }) => {
      const { start: periodStart, endMs } = periodOf(period, atMs);
      const key = { scopeType, scopeId, period, periodStart };
      const cap = { period, limitNanoUsd: amountNanoUsd, resetMs: endMs };
      return { key, text: balanceKeyText(key), cap };
    });
  }

  /** Adds old figures to the next read. Null: all are fresh. */
  #want(keys: readonly CapKey[]): Promise<void> | null {
    const freshMs = this.#options.clock.monotonicMs() - FRESH_MS;
    const old = keys.filter(
      ({ text }) => (this.#figures.peek(text)?.readMs ?? Number.NEGATIVE_INFINITY) < freshMs,
    );
    if (old.length === 0) return null;
    for (const { text, key } of old) this.#wanted.set(text, key);
    this.#reading ??= this.#readWanted().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Reads until no figure is wanted. One statement runs at a time. */
  async #readWanted(): Promise<void> {
    // Requests of the same turn share the statement.
    await Promise.resolve();
    try {
      while (this.#wanted.size > 0) {
        const keys = [...this.#wanted].slice(0, MAX_KEYS_PER_READ);
        for (const [text] of keys) this.#wanted.delete(text);
        await this.#read(new Map(keys));
      }
    } finally {
      this.#wanted.clear();
    }
  }

  /** A figure is the settled spend at a folded position, and the spend of this node after it. */
  async #read(keys: ReadonlyMap<string, BalanceKey>): Promise<void> {
    const { database, nodeId, pending, clock } = this.#options;
    const wanted = { nodeId, keys: [...keys.values()] };
    let read = await readBalancesAtSeq(database, wanted);
    for (let again = 0; again < MAX_LATE_READS && isLate(read, pending); again++) {
      read = await readBalancesAtSeq(database, wanted);
    }
    const settled = new Map(read.balances.map((row) => [balanceKeyText(row), row.settledNanoUsd]));
    const counted = pending.batchesUpTo(read.foldedSeq ?? 0);
    const readMs = clock.monotonicMs();
    for (const [text, { scopeId, period, periodStart }] of keys) {
      const { startMs, endMs } = periodOf(period, msFromIsoDate(periodStart));
      const inPeriod = { scopeId, startMs, endMs };
      let spentNanoUsd = (settled.get(text) ?? 0n) + pending.sum(inPeriod);
      for (const { sums } of counted) spentNanoUsd -= sums.sum(inPeriod);
      this.#figures.set(text, { spentNanoUsd, readMs });
    }
  }
}

/** True if the pending spend lacks requests that this read does not have either. */
function isLate(
  { foldedSeq }: { foldedSeq: number | null },
  pending: PersonSpendOptions["pending"],
): boolean {
  return foldedSeq !== null && foldedSeq < pending.foldedSeq;
}

const NO_CAPS: CapKey[] = [];

async function waitForDatabase<Read>(read: Promise<Read>): Promise<Read> {
  try {
    if (await isDoneWithin(WAIT_MS, read)) return await read;
  } catch {
    throw makeUnavailableError();
  }
  read.catch(() => undefined);
  throw makeUnavailableError();
}

function makeUnavailableError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The spend cannot be read right now, because the server's database does not respond. Retry in a moment.",
    { "retry-after": "1" },
  );
}
