import type { BalanceKey } from "./spend-key.ts";

// What the database does with its rows when a node asks for budget, hands some back, settles, or is not heard of any
// more. Pure: whoever calls has loaded and locked the rows, and writes them afterwards. Amounts are integer nano-USD.

export interface BalanceRow {
  settledNanoUsd: bigint;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/** What one node has of one balance. */
export interface LeaseRow {
  amountNanoUsd: bigint;
  /** The node was not heard of for too long: its lease counts as unresolved until the node itself takes it up again. */
  isReclaimed: boolean;
}

export interface LeaseKey extends BalanceKey {
  organizationId: string;
}

/** Budget for one waiting request: all entries or none. */
export interface GrantRequest {
  requestId: string;
  entries: readonly GrantRequestEntry[];
}

interface GrantRequestEntry {
  key: string;
  /** What the request lacks. */
  minimumNanoUsd: bigint;
  /** That, what later requests need, and seconds of traffic: given while plenty remains. */
  preferredNanoUsd: bigint;
}

/** What a node tells and asks, one message at a time. */
export interface SyncMessage {
  nodeId: string;
  epoch: bigint;
  /** Grows with every message of the node: one that comes late is not obeyed. */
  op: number;
  /** Position up to which the node knows its ends as folded. `targets` is valid only for this position. */
  foldedSeq: number;
  /** The node keeps to all changes of limits up to this one. */
  limitsVersion: bigint;
  /** By key text: everything that `targets` and `grantRequests` name. */
  keys: ReadonlyMap<string, LeaseKey>;
  /** By key text: what the node's lease shall be. Less than it is hands back; more reports what runs already. */
  targets: ReadonlyMap<string, bigint>;
  /** The node wants nothing of balances that `targets` does not name. */
  isComplete: boolean;
  /** What is taken from leases by a complete message turns unresolved: the node's journal may have lost its end. */
  hasJournalGap: boolean;
  /** The last message of a node that stops. */
  isLeaving: boolean;
  grantRequests: readonly GrantRequest[];
}

/** A balance against its strict limit. */
export interface Figures extends BalanceRow {
  limitNanoUsd: bigint;
}

export interface SyncDone {
  kind: "done";
  /** False when a fold of the node came between: `targets` is ignored. */
  isApplied: boolean;
  /** In the order of `grantRequests`: what each entry was given, or null for a request that was not granted. */
  grants: readonly (readonly bigint[] | null)[];
  /** By key text, of the balances that have a strict limit, as they are now. */
  figures: ReadonlyMap<string, Figures>;
}

export type SyncAnswer =
  | SyncDone
  /** The node's epoch is over: it was reclaimed, or another process has its id. */
  | { kind: "fenced" }
  /** A later message came first. */
  | { kind: "late" }
  /** A node that does not count among the living begins with the newest limits: it has to read them first. */
  | { kind: "behind" };

/** The rows of one message, in memory. */
export interface LeaseWork {
  foldedSeq: number;
  /** By key text: every key of the message and every lease of the node. */
  balances: Map<string, BalanceRow>;
  /** The node's own. */
  leases: Map<string, LeaseRow>;
  /** Amounts of strict limits. */
  limits: ReadonlyMap<string, bigint>;
  /** What turned unresolved without belonging to a request that is known. */
  kept: Map<string, bigint>;
}

/** Slices of traffic never take more than this part of what remains, so that nodes do not starve one another. */
const SLICE_OF_REMAINING = 4n;

export function applySync(work: LeaseWork, message: SyncMessage): SyncDone {
  for (const [key, lease] of work.leases) reinstateLease(work, key, lease);
  const isApplied = work.foldedSeq === message.foldedSeq;
  if (isApplied) {
    const keys = new Set(message.targets.keys());
    if (message.isComplete) for (const key of work.leases.keys()) keys.add(key);
    for (const key of keys) setLease(work, message, key);
  }
  const spare = new Map<string, bigint>();
  const grants = message.grantRequests.map((want) => grant(work, want, spare));
  const figures = new Map<string, Figures>();
  for (const [key, limitNanoUsd] of work.limits) {
    const balance = work.balances.get(key);
    if (balance) figures.set(key, { ...balance, limitNanoUsd });
  }
  return { kind: "done", isApplied, grants, figures };
}

/** The node speaks under its newest epoch, so what it held when it was reclaimed is its own again: the same money. */
function reinstateLease(work: LeaseWork, key: string, lease: LeaseRow): void {
  if (!lease.isReclaimed) return;
  const balance = balanceOf(work, key);
  balance.unresolvedNanoUsd -= lease.amountNanoUsd;
  balance.leasedNanoUsd += lease.amountNanoUsd;
  lease.isReclaimed = false;
}

/** No guard: what is handed back needs none, and what is reported runs already and must be counted. */
function setLease(work: LeaseWork, message: SyncMessage, key: string): void {
  const wanted = message.targets.get(key) ?? 0n;
  const difference = wanted - (work.leases.get(key)?.amountNanoUsd ?? 0n);
  changeLease(work, key, difference);
  if (difference >= 0n || !message.hasJournalGap) return;
  balanceOf(work, key).unresolvedNanoUsd -= difference;
  work.kept.set(key, -difference);
}

/**
 * The guard: settled + leased + unresolved + amount ≤ limit, for every limit of the chain or for none. `spare`: by key,
 * what earlier wants of the message were given beyond what they lack. It serves later wants first.
 */
function grant(work: LeaseWork, want: GrantRequest, spare: Map<string, bigint>): bigint[] | null {
  const entries = want.entries.map(({ key, minimumNanoUsd, preferredNanoUsd }) => {
    const atHand = spare.get(key) ?? 0n;
    const covered = atHand < minimumNanoUsd ? atHand : minimumNanoUsd;
    const lacks = minimumNanoUsd - covered;
    return {
      key,
      covered,
      lacks,
      ideal: preferredNanoUsd - covered,
      remaining: remainingOf(work, key),
    };
  });
  const isPlenty = entries.every(({ lacks, ideal, remaining }) => {
    return lacks === 0n || remaining === null || ideal * SLICE_OF_REMAINING <= remaining;
  });
  const amounts = entries.map(({ lacks, ideal, remaining }) => {
    return isPlenty && lacks > 0n && remaining !== null ? ideal : lacks;
  });
  const fits = entries.every(({ remaining }, at) => {
    const amount = amounts[at] ?? 0n;
    return amount === 0n || remaining === null || amount <= remaining;
  });
  if (!fits) return null;
  for (const [at, { key, covered, lacks }] of entries.entries()) {
    const amount = amounts[at] ?? 0n;
    changeLease(work, key, amount);
    spare.set(key, (spare.get(key) ?? 0n) - covered + amount - lacks);
  }
  return amounts;
}

/** What may still be granted, below zero after a limit was lowered; null without a strict limit. */
function remainingOf(work: LeaseWork, key: string): bigint | null {
  const limit = work.limits.get(key);
  return limit === undefined ? null : limit - usedOf(balanceOf(work, key));
}

export function usedOf(balance: BalanceRow): bigint {
  return balance.settledNanoUsd + balance.leasedNanoUsd + balance.unresolvedNanoUsd;
}

function changeLease(work: LeaseWork, key: string, difference: bigint): void {
  if (difference === 0n) return;
  const lease = work.leases.get(key) ?? { amountNanoUsd: 0n, isReclaimed: false };
  lease.amountNanoUsd += difference;
  work.leases.set(key, lease);
  balanceOf(work, key).leasedNanoUsd += difference;
}

function balanceOf(work: LeaseWork, key: string): BalanceRow {
  const balance = work.balances.get(key);
  if (balance === undefined) throw new Error("a message is applied to all the balances it names");
  return balance;
}

/** What ended requests take out of one lease. */
export interface Draw {
  key: string;
  /** Their cost. It is settled whether the lease covers it or not. */
  costNanoUsd: bigint;
  /** Holds of those whose fate nobody knows. */
  unresolved: readonly { requestId: string; nanoUsd: bigint }[];
}

/** What a draw changes; `balance` holds differences. */
export interface Drawn {
  key: string;
  balance: BalanceRow;
  leaseNanoUsd: bigint;
}

/** Leased turns into settled and unresolved in one step. No guard: settling always succeeds. */
export function drawFromLease(lease: LeaseRow | undefined, draw: Draw): Drawn {
  let left = lease?.amountNanoUsd ?? 0n;
  const take = (nanoUsd: bigint) => {
    const taken = nanoUsd < left ? nanoUsd : left;
    left -= taken;
    return taken;
  };
  take(draw.costNanoUsd);
  // In full, also where no lease covers them, so that a limit which is made later counts them too.
  const unknown = draw.unresolved.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0n);
  take(unknown);
  const taken = (lease?.amountNanoUsd ?? 0n) - left;
  const isReclaimed = lease?.isReclaimed === true;
  return {
    key: draw.key,
    balance: {
      settledNanoUsd: draw.costNanoUsd,
      leasedNanoUsd: isReclaimed ? 0n : -taken,
      unresolvedNanoUsd: unknown - (isReclaimed ? taken : 0n),
    },
    leaseNanoUsd: -taken,
  };
}
