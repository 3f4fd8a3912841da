import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import { msFromIsoDate, periodNames, periodOf } from "#src/domain/spend-period.ts";
import { isOwnScope } from "#src/domain/wire-scope.ts";
import { listQueuedCharges, listQueuedHolds } from "#src/spend/ledger/batch-charges.sql.ts";
import { chainOf } from "#src/spend/ledger/charges.ts";
import { decodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import { findUnrecorded } from "#src/spend/ledger/overrun-rules.ts";
import { type ExceededBalance, listExceeded } from "#src/spend/ledger/overruns.sql.ts";
import { type BalanceKey, balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import { areAllBalancesKept } from "#src/spend/ledger/watched-balances.sql.ts";
import {
  type CheckedBalance,
  findFirstCheckedDate,
  type LeaseSum,
  listAbandonedLeases,
  listBalancePeriods,
  listBalancesOfPeriod,
  listOverdrawnLeases,
  listSpendDays,
  sumDay,
  sumLeases,
  type WrongLease,
} from "./check.sql.ts";

export type CheckedAmount =
  | "spent"
  | "held"
  | "unresolved"
  | "beyond_holds"
  | "overrun"
  | "granted"
  | "abandoned";

/** A balance that differs from the sum of its rows, or a lease of one node. Integer nano-USD. */
export interface LedgerDifference extends BalanceKey {
  /** Null: the whole balance. */
  nodeId: string | null;
  amount: CheckedAmount;
  actualNanoUsd: bigint;
  expectedNanoUsd: bigint;
}

export interface LedgerReport {
  balances: number;
  requests: number;
  /** The first `MAX_DIFFERENCES`. */
  differences: LedgerDifference[];
  differenceCount: number;
}

const MAX_DIFFERENCES = 100;

/**
 * Recomputes every balance of the organization, and finds limits without a balance, from its requests, adjustments, leases and unresolved rows in one snapshot.
 * Later commits are not read. Reads one day of events at a time, and has the sums of at most one month in memory.
 */
export function checkLedger(database: Database, organizationId: string): Promise<LedgerReport> {
  return inSnapshot(database, (tx) => new LedgerCheck(tx, organizationId).run());
}

/** Amounts of a balance. */
type Amounts = Omit<CheckedBalance, keyof BalanceKey | "isComplete">;

interface Sums {
  costNanoUsd: bigint;
  /** Cost without credits. */
  chargedNanoUsd: bigint;
  overrunNanoUsd: bigint;
}

/** A period whose days are being summed. */
interface OpenPeriod {
  start: string;
  /** Sums by balance key text. */
  sums: Map<string, BalanceKey & Sums>;
}

class LedgerCheck {
  readonly #tx: Tx;
  readonly #organizationId: string;
  readonly #open = new Map<PeriodName, OpenPeriod>();
  readonly #comparedPeriods = new Set<string>();
  /** Requests that are in the events and wait for their fold. */
  #queued: ReadonlyMap<string, Amounts> = new Map();
  #leases = new Map<string, LeaseSum>();
  /** Creation of each limit, by scope and period name. */
  #limitsSince: ReadonlyMap<string, Date> = new Map();
  /** Keys, workspaces and the organization have balances with and without limits. */
  #areAllBalancesKept = false;
  #firstPeriodStart = "";
  readonly #found: LedgerReport = {
    balances: 0,
    requests: 0,
    differences: [],
    differenceCount: 0,
  };

  constructor(tx: Tx, organizationId: string) {
    this.#tx = tx;
    this.#organizationId = organizationId;
  }

  async run(): Promise<LedgerReport> {
    this.#firstPeriodStart = (await findFirstCheckedDate(this.#tx)) ?? "";
    const leases = await sumLeases(this.#tx, this.#organizationId);
    this.#leases = new Map(leases.map((sum) => [balanceKeyText(sum), sum]));
    this.#queued = await sumQueued(this.#tx, this.#organizationId);
    this.#areAllBalancesKept = await areAllBalancesKept(this.#tx);
    const limits = await listSpendLimits(this.#tx, { organizationId: this.#organizationId });
    this.#limitsSince = new Map(limits.map((limit) => [nameOf(limit), limit.createdAt]));
    for (const day of await listSpendDays(this.#tx)) await this.#addDay(day);
    for (const [period, open] of this.#open) await this.#comparePeriod(period, open);
    const periods = await listBalancePeriods(this.#tx, this.#organizationId);
    for (const { period, periodStart } of [...periods, ...leases]) {
      if (this.#comparedPeriods.has(`${period} ${periodStart}`)) continue;
      await this.#comparePeriod(period, { start: periodStart, sums: new Map() });
    }
    for (const exceeded of await listExceeded(this.#tx, this.#organizationId)) {
      this.#compareOverrun(exceeded);
    }
    for (const lease of await listOverdrawnLeases(this.#tx, this.#organizationId)) {
      this.#addLease("granted", lease);
    }
    for (const lease of await listAbandonedLeases(this.#tx, this.#organizationId)) {
      this.#addLease("abandoned", lease);
    }
    return this.#found;
  }

  async #addDay(day: string): Promise<void> {
    const organizationId = this.#organizationId;
    const sums = await sumDay(this.#tx, { organizationId, day });
    if (sums.length === 0) return;
    for (const period of periodNames) {
      const periodStart = periodOf(period, msFromIsoDate(day)).start;
      const open = await this.#openPeriod(period, periodStart);
      for (const sum of sums) {
        const scope = { organizationId, ...sum, memberId: sum.memberId ?? undefined };
        for (const [scopeType, scopeId] of chainOf(scope)) {
          addSums(open, { scopeType, scopeId, period, periodStart }, sum);
        }
      }
    }
    for (const { requests } of sums) this.#found.requests += Number(requests);
  }

  /** Days are sorted, so a new period starts after the last day of the previous one. */
  async #openPeriod(period: PeriodName, start: string): Promise<OpenPeriod> {
    const open = this.#open.get(period);
    if (open?.start === start) return open;
    if (open !== undefined) await this.#comparePeriod(period, open);
    const next = { start, sums: new Map() };
    this.#open.set(period, next);
    return next;
  }

  async #comparePeriod(period: PeriodName, { start, sums }: OpenPeriod): Promise<void> {
    this.#comparedPeriods.add(`${period} ${start}`);
    // Balances or days of the period were deleted by age.
    if (start < this.#firstPeriodStart) return;
    const of = { organizationId: this.#organizationId, period, periodStart: start };
    const rows = await listBalancesOfPeriod(this.#tx, of);
    const balances = new Map(rows.map((row) => [balanceKeyText(row), row]));
    const keys = new Map<string, BalanceKey>(balances);
    for (const [text, sum] of sums) {
      if (sum.overrunNanoUsd > 0n || this.#isRequired(sum)) keys.set(text, sum);
    }
    for (const [text, sum] of this.#leases) {
      if (sum.period === period && sum.periodStart === start) keys.set(text, sum);
    }
    this.#found.balances += keys.size;
    for (const [text, key] of [...keys].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { scopeType, scopeId } = key;
      const named = { scopeType, scopeId, period, periodStart: start };
      const balance = balances.get(text);
      const actual = addQueued(balance, this.#queued.get(text));
      const expected = { ...NO_SUMS, ...sums.get(text), ...this.#leasesOf(text) };
      if (balance?.isComplete ?? this.#isRequired(key)) {
        this.#addDifference(named, "spent", actual.settledNanoUsd, expected.costNanoUsd);
      }
      this.#compare(named, actual, expected);
    }
  }

  /** True if the scope was limited before the period ended, so that its spend needs a balance. */
  #isRequired(key: BalanceKey): boolean {
    if (this.#areAllBalancesKept && isOwnScope(key.scopeType)) return true;
    const since = this.#limitsSince.get(nameOf(key));
    const { endMs } = periodOf(key.period, msFromIsoDate(key.periodStart));
    return since !== undefined && since.getTime() < endMs;
  }

  #leasesOf(text: string): Pick<LeaseSum, "leasedNanoUsd" | "unresolvedNanoUsd"> {
    const { leasedNanoUsd = 0n, unresolvedNanoUsd = 0n } = this.#leases.get(text) ?? {};
    return { leasedNanoUsd, unresolvedNanoUsd };
  }

  #compare(
    key: BalanceKey,
    actual: Amounts,
    expected: Sums & Pick<LeaseSum, "leasedNanoUsd" | "unresolvedNanoUsd">,
  ): void {
    this.#addDifference(key, "held", actual.leasedNanoUsd, expected.leasedNanoUsd);
    this.#addDifference(key, "unresolved", actual.unresolvedNanoUsd, expected.unresolvedNanoUsd);
    // The exact overrun is unknown: a limit may have held less than the recorded maximum, and a decision may have charged
    // more. The overrun is at least the sum and at most the whole cost. A credit lowers the cost and no overrun.
    const overrun = actual.overrunNanoUsd;
    const isPossible = overrun >= expected.overrunNanoUsd && overrun <= expected.chargedNanoUsd;
    this.#addDifference(
      key,
      "beyond_holds",
      overrun,
      isPossible ? overrun : expected.overrunNanoUsd,
    );
  }

  /** Settled spend can exceed a strict limit only by recorded overruns and by the spend before the limit was set. */
  #compareOverrun(exceeded: ExceededBalance): void {
    const { scopeType, scopeId, period, periodStart, limitOverrunNanoUsd: recorded } = exceeded;
    const missing = findUnrecorded(exceeded);
    const key = { scopeType, scopeId, period, periodStart };
    this.#addDifference(key, "overrun", recorded, recorded + missing);
  }

  #addDifference(
    key: BalanceKey,
    amount: CheckedAmount,
    actualNanoUsd: bigint,
    expectedNanoUsd: bigint,
  ): void {
    if (actualNanoUsd === expectedNanoUsd) return;
    this.#report({ ...key, amount, nodeId: null, actualNanoUsd, expectedNanoUsd });
  }

  #addLease(amount: CheckedAmount, lease: WrongLease): void {
    this.#report({ ...lease, amount });
  }

  #report(difference: LedgerDifference): void {
    const { differences } = this.#found;
    this.#found.differenceCount += 1;
    if (differences.length < MAX_DIFFERENCES) differences.push(difference);
  }
}

function nameOf({ scopeType, scopeId, period }: Omit<BalanceKey, "periodStart">): string {
  return `${scopeType}\n${scopeId}\n${period}`;
}

const NO_SUMS: Sums = { costNanoUsd: 0n, chargedNanoUsd: 0n, overrunNanoUsd: 0n };
const NO_BALANCE = {
  settledNanoUsd: 0n,
  leasedNanoUsd: 0n,
  unresolvedNanoUsd: 0n,
  overrunNanoUsd: 0n,
};

/** Sums what the next folds will add to each balance. Unresolved holds get their rows there too. */
async function sumQueued(tx: Tx, organizationId: string): Promise<Map<string, Amounts>> {
  const queued = new Map<string, Amounts>();
  const add = (key: BalanceKey, settledNanoUsd: bigint, overrunNanoUsd: bigint) => {
    const text = balanceKeyText(key);
    const sum = queued.get(text) ?? NO_BALANCE;
    queued.set(text, {
      ...sum,
      settledNanoUsd: sum.settledNanoUsd + settledNanoUsd,
      overrunNanoUsd: sum.overrunNanoUsd + overrunNanoUsd,
    });
  };
  for (const charge of await listQueuedCharges(tx, organizationId)) add(charge, charge.nanoUsd, 0n);
  for (const json of await listQueuedHolds(tx)) {
    for (const hold of decodeHoldCharges(json)) add(hold, 0n, hold.overrunNanoUsd);
  }
  return queued;
}

function addQueued(balance: Amounts = NO_BALANCE, queued: Amounts = NO_BALANCE): Amounts {
  return {
    ...balance,
    settledNanoUsd: balance.settledNanoUsd + queued.settledNanoUsd,
    overrunNanoUsd: balance.overrunNanoUsd + queued.overrunNanoUsd,
  };
}

function addSums({ sums }: OpenPeriod, key: BalanceKey, sum: Sums): void {
  const text = balanceKeyText(key);
  const known = sums.get(text);
  if (known === undefined) {
    const { costNanoUsd, chargedNanoUsd, overrunNanoUsd } = sum;
    sums.set(text, { ...key, costNanoUsd, chargedNanoUsd, overrunNanoUsd });
    return;
  }
  known.costNanoUsd += sum.costNanoUsd;
  known.chargedNanoUsd += sum.chargedNanoUsd;
  known.overrunNanoUsd += sum.overrunNanoUsd;
}
