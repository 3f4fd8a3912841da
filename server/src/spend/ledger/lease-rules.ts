import type { BalanceKey } from "./spend-key.ts";

// Rules by which the database applies a message of a node: it sets leases and grants budget. Pure: the caller has read the
// rows in one snapshot, and writes the changes if they are still valid. Amounts are integer nano-USD.

/** One balance. The lease of a fenced node counts as unresolved. */
export interface BalanceRow {
  settledNanoUsd: bigint;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/**
 * Lease of one node on one balance. Messages of the node set `granted`, and folds add to `drawn`. So a fold between two
 * messages never changes the effect of a message.
 */
export interface LeaseRow {
  grantedNanoUsd: bigint;
  drawnNanoUsd: bigint;
  /** The node was silent for too long. Its lease counts as unresolved until the node returns. */
  isFenced: boolean;
}

/** Budget that the lease takes from its balance. */
export function leftOf({
  grantedNanoUsd,
  drawnNanoUsd,
}: Pick<LeaseRow, "grantedNanoUsd" | "drawnNanoUsd">): bigint {
  return grantedNanoUsd > drawnNanoUsd ? grantedNanoUsd - drawnNanoUsd : 0n;
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
  /** Budget that the request lacks. */
  minimumNanoUsd: bigint;
  /** The same, plus needs of later requests and of expected traffic. The part within the node's share is granted. */
  preferredNanoUsd: bigint;
}

/** Value that a message sets for one lease. */
export type LeaseTarget =
  /**
   * Opens a lease whose drawn amount the node does not know. Granted becomes drawn + `neededNanoUsd`: the node's holds, and
   * its ended spend after the last folded position that it knows. `keptNanoUsd`: free budget from before a failover.
   */
  | { kind: "open"; neededNanoUsd: bigint; keptNanoUsd: bigint }
  /** Sets an open lease. `countId`: id of the count of draws that the node knows. */
  | { kind: "set"; countId: bigint; grantedNanoUsd: bigint };

/** Message of a node. A node sends one at a time. */
export interface SyncMessage {
  nodeId: string;
  epoch: bigint;
  /** Grows with each message of the node. A message that arrives after a later one is ignored. */
  op: number;
  /** The node follows all changes of limits up to this version. */
  limitsVersion: bigint;
  /** All balances that `targets` and `grantRequests` name, by key text. */
  keys: ReadonlyMap<string, LeaseKey>;
  /** Targets by key text. They include every balance of `grantRequests`. */
  targets: ReadonlyMap<string, LeaseTarget>;
  /** The node needs no budget on balances that `targets` does not name. */
  isComplete: boolean;
  /** True: budget that a complete message returns becomes unresolved, because the journal may have lost its spend. */
  hasJournalGap: boolean;
  /** Last message of a node that stops. */
  isLeaving: boolean;
  grantRequests: readonly GrantRequest[];
  /** Budget for later requests, by key text of a target. The part within the node's share is granted, after `grantRequests`. */
  topUps: ReadonlyMap<string, bigint>;
}

/** A balance and its strict limit. */
export interface Figures extends BalanceRow {
  limitNanoUsd: bigint;
}

/** Numbers of the database for an opened lease. */
export interface OpenedLease {
  countId: bigint;
  /** Draws of the node that folds have counted, up to the folded position of the response. */
  drawnNanoUsd: bigint;
  /** Free budget from before a failover that the node still has. */
  keptNanoUsd: bigint;
}

/** A node with unknown leases, because the database failed over. */
export interface AwaitedNode {
  nodeId: string;
  /** Time after which its leases are over, milliseconds on the database's clock. */
  untilMs: number;
}

export interface SyncDone {
  kind: "done";
  /** Folded position of the node, read together with `opened`. */
  foldedSeq: number;
  /** Opened leases by key text. */
  opened: ReadonlyMap<string, OpenedLease>;
  /** Key texts of targets whose draws folds do not count, or count anew. The node opens them again. */
  unopened: ReadonlySet<string>;
  /** Granted amount of each entry, in the order of `grantRequests`. Null: not granted. */
  grants: readonly (readonly bigint[] | null)[];
  /** Granted amounts of `topUps`, by key text. They may be less than requested. */
  toppedUp: ReadonlyMap<string, bigint>;
  /** Balances with a strict limit after the message, by key text. */
  figures: ReadonlyMap<string, Figures>;
  /** Live nodes, with the node of the message. */
  liveNodes: number;
  /** Nothing was granted, because this node has to report its leases first. */
  awaited: AwaitedNode | null;
}

export type SyncAnswer = SyncDone | SyncRefusal;

/** The message was not obeyed. */
export type SyncRefusal =
  /** The epoch is over: the node was fenced, or another process has its id. */
  | { kind: "fenced" }
  /** A later message arrived first. */
  | { kind: "late" }
  /** The node must know the newest limits before it becomes live. */
  | { kind: "behind" };

/** Rows of one message, read in one snapshot. */
export interface LeaseWork {
  foldedSeq: number;
  /** Live nodes, with the node of the message. */
  liveNodes: number;
  /** Keys of the message by key text. For a complete message also keys of all leases of the node. */
  keys: ReadonlyMap<string, LeaseKey>;
  /** Balances of the keys, by key text. */
  balances: Map<string, BalanceRow>;
  /** Leases of the node on these balances, by key text. Without a lease, `granted` is 0. */
  leases: Map<string, LeaseRow>;
  /** Id of the count of draws, by key text. Absent: folds do not count draws on the balance. */
  counts: ReadonlyMap<string, bigint>;
  /** Amounts of strict limits, by key text. */
  limits: ReadonlyMap<string, bigint>;
  /** Budget that became unresolved because of a journal gap. */
  kept: Map<string, bigint>;
  awaited: Awaited;
}

/** Reports that grants wait for after a failover. The leases of these nodes may be larger than their rows. */
export interface Awaited {
  /** The node of the message has not reported. */
  isSelf: boolean;
  /** Another node that has not reported: the one that is awaited longest. */
  other: AwaitedNode | null;
}

/** New value of one lease. */
export interface LeaseChange {
  text: string;
  key: LeaseKey;
  /** Null: the lease ends. */
  grantedNanoUsd: bigint | null;
  /** The count of draws that the value belongs to. Null for a lease that ends. */
  countId: bigint | null;
  /** The lease grows by a grant: the guard must hold when it is written. */
  isGuarded: boolean;
  /** Returned budget that becomes unresolved. Null: none. */
  keptNanoUsd: bigint | null;
}

/** An answer, and the changes that make it true. */
export interface SyncDraft {
  answer: SyncDone;
  changes: readonly LeaseChange[];
  /**
   * Budget from before a failover is kept without a guard. Valid while a report is awaited: nothing is granted until then, so
   * all such budget together is within the limits.
   */
  isAwaiting: boolean;
}

/** The facts of a node that decide whether its message is handled. */
export interface MessageNode {
  epoch: bigint;
  /** Number of the last message in this epoch. 0: none. */
  op: bigint;
  /** False: the node becomes live by its next message. */
  isLive: boolean;
  /** Highest version of the limits. */
  version: bigint;
}

/** Null: the message is handled. */
export function findRefusal(node: MessageNode, message: SyncMessage): SyncRefusal | null {
  if (node.epoch !== message.epoch) return { kind: "fenced" };
  if (node.op >= BigInt(message.op)) return { kind: "late" };
  if (!node.isLive && message.limitsVersion < node.version) return { kind: "behind" };
  return null;
}

/** Decides on a message. The rows of `work` then have the new values. */
export function draftSync(work: LeaseWork, message: SyncMessage): SyncDraft {
  const before = new Map([...work.leases].map(([key, lease]) => [key, { ...lease }]));
  const answer = applyMessage(work, message);
  const kept = listKept(answer);
  const isAwaiting = isReportAwaited(work) && kept.length > 0;
  const granted = listGranted(message, answer);
  for (const text of isAwaiting ? [] : kept) granted.add(text);
  return { answer, changes: listChanges(work, before, granted), isAwaiting };
}

function listKept({ opened }: SyncDone): string[] {
  return [...opened].flatMap(([text, { keptNanoUsd }]) => (keptNanoUsd > 0n ? [text] : []));
}

function isReportAwaited({ awaited: { isSelf, other } }: LeaseWork): boolean {
  return isSelf || other !== null;
}

/** Key texts of leases that grow by a grant. */
function listGranted(message: SyncMessage, { grants, toppedUp }: SyncDone): Set<string> {
  const granted = new Set<string>(toppedUp.keys());
  for (const [at, { entries }] of message.grantRequests.entries()) {
    for (const [entryAt, { key }] of entries.entries()) {
      if ((grants[at]?.[entryAt] ?? 0n) > 0n) granted.add(key);
    }
  }
  return granted;
}

function listChanges(
  work: LeaseWork,
  before: ReadonlyMap<string, LeaseRow>,
  granted: ReadonlySet<string>,
): LeaseChange[] {
  const changes: LeaseChange[] = [];
  for (const [text, lease] of work.leases) {
    const was = before.get(text);
    const keptNanoUsd = work.kept.get(text) ?? null;
    const hasEnded = leftOf(lease) === 0n;
    const isStored = was !== undefined && was.grantedNanoUsd > 0n;
    const isSame = hasEnded
      ? !isStored
      : was?.grantedNanoUsd === lease.grantedNanoUsd && !was.isFenced;
    if (isSame && keptNanoUsd === null) continue;
    changes.push({
      text,
      key: keyOf(work, text),
      grantedNanoUsd: hasEnded ? null : lease.grantedNanoUsd,
      countId: hasEnded ? null : (work.counts.get(text) ?? null),
      isGuarded: granted.has(text),
      keptNanoUsd,
    });
  }
  return changes;
}

function keyOf(work: LeaseWork, text: string): LeaseKey {
  const key = work.keys.get(text);
  if (key === undefined) throw new Error("a message is applied to leases that were read");
  return key;
}

/** Part of the remaining budget that all nodes together may hold in advance. The rest is for exact grants. */
const SHARE_DIVISOR = 2n;

/** Budget that one node may hold in advance of its requests. */
export function findShare(remainingNanoUsd: bigint, liveNodes: number): bigint {
  return remainingNanoUsd > 0n ? remainingNanoUsd / (SHARE_DIVISOR * BigInt(liveNodes)) : 0n;
}

function applyMessage(work: LeaseWork, message: SyncMessage): SyncDone {
  for (const [key, lease] of work.leases) reinstateLease(work, key, lease);
  const opened = new Map<string, OpenedLease>();
  const unopened = new Set<string>();
  for (const [key, target] of message.targets) {
    const countId = work.counts.get(key);
    if (countId === undefined || (target.kind === "set" && target.countId !== countId)) {
      unopened.add(key);
      continue;
    }
    const { drawnNanoUsd } = leaseOf(work, key);
    if (target.kind === "set") {
      setLease(work, message, { key, grantedNanoUsd: target.grantedNanoUsd });
      continue;
    }
    const least = drawnNanoUsd + target.neededNanoUsd;
    const isKept = isReportAwaited(work);
    setLease(work, message, { key, grantedNanoUsd: isKept ? least + target.keptNanoUsd : least });
    const keptNanoUsd = isKept ? target.keptNanoUsd : keepWithinLimit(work, key, target);
    opened.set(key, { countId, drawnNanoUsd, keptNanoUsd });
  }
  for (const [key, lease] of message.isComplete ? work.leases : []) {
    if (message.targets.has(key) || leftOf(lease) === 0n) continue;
    setLease(work, message, { key, grantedNanoUsd: lease.drawnNanoUsd });
  }
  const { isSelf, other: awaited } = work.awaited;
  const hasReported = !isSelf || (message.isComplete && unopened.size === 0);
  const isGranting = awaited === null && hasReported;
  const granting: Granting = { spare: new Map(), shares: new Map() };
  const grants = message.grantRequests.map((request) => {
    const isUnopened = request.entries.some(({ key }) => unopened.has(key));
    return isUnopened || !isGranting ? null : grant(work, request, granting);
  });
  const toppedUp = new Map<string, bigint>();
  for (const [key, nanoUsd] of isGranting ? message.topUps : []) {
    const remaining = unopened.has(key) ? null : remainingOf(work, key);
    const share = remaining === null ? 0n : findShare(remaining, work.liveNodes);
    const amount = leastOf(nanoUsd, share);
    if (amount === 0n) continue;
    changeLease(work, key, amount);
    toppedUp.set(key, amount);
  }
  const figures = new Map<string, Figures>();
  for (const [key, limitNanoUsd] of work.limits) {
    const balance = work.balances.get(key);
    if (balance) figures.set(key, { ...balance, limitNanoUsd });
  }
  const { foldedSeq, liveNodes } = work;
  const positions = { foldedSeq, opened, unopened };
  return { kind: "done", ...positions, grants, toppedUp, figures, liveNodes, awaited };
}

/**
 * Keeps the free budget of a late report, if the limit has room, and returns the kept amount. Other nodes may have been
 * granted the same budget meanwhile.
 */
function keepWithinLimit(
  work: LeaseWork,
  key: string,
  { keptNanoUsd }: { keptNanoUsd: bigint },
): bigint {
  const remaining = remainingOf(work, key);
  if (remaining === null || remaining < keptNanoUsd) return 0n;
  changeLease(work, key, keptNanoUsd);
  return keptNanoUsd;
}

/** True if the node now follows the limits of the message, because all its leases are reported. */
export function isAcknowledged(message: SyncMessage, { unopened }: SyncDone): boolean {
  return message.isComplete && unopened.size === 0;
}

/** Changes unresolved budget back to a lease, for a node that returned with a new epoch. */
function reinstateLease(work: LeaseWork, key: string, lease: LeaseRow): void {
  if (!lease.isFenced) return;
  const balance = balanceOf(work, key);
  balance.unresolvedNanoUsd -= leftOf(lease);
  balance.leasedNanoUsd += leftOf(lease);
  lease.isFenced = false;
}

/** Sets a lease without a guard: returned budget needs none, and reported requests run already. */
function setLease(
  work: LeaseWork,
  message: SyncMessage,
  { key, grantedNanoUsd }: { key: string; grantedNanoUsd: bigint },
): void {
  const returned = -changeLease(work, key, grantedNanoUsd - leaseOf(work, key).grantedNanoUsd);
  if (returned <= 0n || !message.isComplete || !message.hasJournalGap) return;
  balanceOf(work, key).unresolvedNanoUsd += returned;
  work.kept.set(key, returned);
}

/** State of the grants of one message, by balance key. */
interface Granting {
  /** Unused parts of earlier grants. Later requests use them first. */
  spare: Map<string, bigint>;
  /** Budget that may still be granted beyond the needs of single requests. */
  shares: Map<string, bigint>;
}

/**
 * Grants one request: in all limits of its chain, or in none. The guard is settled + leased + unresolved + amount <= limit.
 */
function grant(work: LeaseWork, request: GrantRequest, granting: Granting): bigint[] | null {
  const parts = request.entries.map((entry) => findParts(work, entry, granting));
  const fits = parts.every(({ lacks, extra, remaining }) => {
    return lacks === 0n || remaining === null || lacks + extra <= remaining;
  });
  if (!fits) return null;
  const { spare, shares } = granting;
  for (const { key, covered, lacks, extra, share } of parts) {
    changeLease(work, key, lacks + extra);
    spare.set(key, (spare.get(key) ?? 0n) - covered + extra);
    shares.set(key, share - extra);
  }
  return parts.map(({ lacks, extra }) => lacks + extra);
}

/** Splits an entry: the part that earlier grants cover, the rest that it lacks, and the budget in advance. */
function findParts(
  work: LeaseWork,
  { key, minimumNanoUsd, preferredNanoUsd }: GrantRequestEntry,
  { spare, shares }: Granting,
) {
  const atHand = spare.get(key) ?? 0n;
  const covered = atHand < minimumNanoUsd ? atHand : minimumNanoUsd;
  const lacks = minimumNanoUsd - covered;
  const remaining = remainingOf(work, key);
  const now = remaining === null ? 0n : findShare(remaining - lacks, work.liveNodes);
  const share = leastOf(shares.get(key) ?? now, now);
  const wanted = preferredNanoUsd - minimumNanoUsd - (atHand - covered);
  // Near the limit each request gets exactly what it lacks.
  const isNear = lacks === 0n || share < lacks || wanted <= 0n;
  return { key, covered, lacks, remaining, share, extra: isNear ? 0n : leastOf(wanted, share) };
}

/** The smaller amount. `Math.min` takes no bigint. */
export function leastOf(a: bigint, b: bigint): bigint {
  if (b < a) return b;
  return a;
}

/** Budget that can still be granted. Negative after a limit was lowered, null without a strict limit. */
function remainingOf(work: LeaseWork, key: string): bigint | null {
  const limit = work.limits.get(key);
  return limit === undefined ? null : limit - usedOf(balanceOf(work, key));
}

export function usedOf(balance: BalanceRow): bigint {
  return balance.settledNanoUsd + balance.leasedNanoUsd + balance.unresolvedNanoUsd;
}

/** Changes what is granted, and returns the change of the leased amount. */
function changeLease(work: LeaseWork, key: string, difference: bigint): bigint {
  if (difference === 0n) return 0n;
  const lease = leaseOf(work, key);
  const before = leftOf(lease);
  lease.grantedNanoUsd += difference;
  work.leases.set(key, lease);
  const change = leftOf(lease) - before;
  balanceOf(work, key).leasedNanoUsd += change;
  return change;
}

function leaseOf(work: LeaseWork, key: string): LeaseRow {
  return work.leases.get(key) ?? { grantedNanoUsd: 0n, drawnNanoUsd: 0n, isFenced: false };
}

function balanceOf(work: LeaseWork, key: string): BalanceRow {
  const balance = work.balances.get(key);
  if (balance === undefined) throw new Error("a message is applied to all balances that it names");
  return balance;
}
