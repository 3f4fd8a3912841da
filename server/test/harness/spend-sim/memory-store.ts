import type { Incarnation } from "#src/db/incarnation.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import {
  type Awaited,
  type AwaitedNode,
  type BalanceRow,
  draftSync,
  findRefusal,
  isAcknowledged,
  type LeaseChange,
  type LeaseKey,
  type LeaseRow,
  type LeaseWork,
  leftOf,
  type MessageNode,
  type SyncAnswer,
  type SyncMessage,
  type SyncRefusal,
  usedOf,
} from "#src/spend/ledger/lease-rules.ts";
import type { DraftedMessage } from "#src/spend/ledger/leases.sql.ts";
import { balanceOf, limitNameOfKey, MemoryFold, type UnresolvedRow } from "./memory-fold.ts";
import { copyRows, makeRows, NEW_NODE, type NodeRow, type SavedMaps } from "./memory-rows.ts";
import { periodOfKey } from "./model.ts";
import {
  awaitMs,
  type FlushAnswer,
  type FlushRequest,
  type FoldedNode,
  type SavedRows,
  type Snapshot,
  type SpendStore,
  type StoredBalance,
  type StoredCounters,
  type StoredLease,
  type StoreRaise,
  type StoreTimes,
} from "./store.ts";

/** Plain maps instead of the database, under the rules of the product. */
export class MemoryStore implements SpendStore {
  readonly #times: StoreTimes;
  #rows = makeRows();
  /** Keys of all messages, by key text. */
  readonly #keys = new Map<string, LeaseKey>();
  #fold: MemoryFold | null = null;
  #saves = 0;

  /** Whether a node of version 0.1 may be alive. Leases without a rest have no row then. */
  readonly #isOlder: boolean;

  constructor(times: StoreTimes, { isOlder = false }: { isOlder?: boolean } = {}) {
    this.#times = times;
    this.#isOlder = isOlder;
  }

  async enter(nodeId: string): Promise<{ epoch: bigint; flushedSeq: number }> {
    const node = this.#rows.nodes.get(nodeId) ?? {
      ...NEW_NODE,
      epoch: larger(this.#leastEpoch, 1n) - 1n,
    };
    node.epoch += 1n;
    node.op = 0;
    this.#rows.nodes.set(nodeId, node);
    const { epoch, flushedSeq } = node;
    return { epoch, flushedSeq };
  }

  async sync(message: SyncMessage, atMs: number): Promise<SyncAnswer> {
    const draft = await this.draft(message, atMs);
    if (draft.kind !== "drafted") return draft;
    const answer = await this.write(draft, atMs);
    if (answer === null) throw new Error("nothing changed between the read and the write");
    return answer;
  }

  async draft(message: SyncMessage, atMs: number): Promise<DraftedMessage | SyncRefusal> {
    const node = this.#rows.nodes.get(message.nodeId);
    if (node === undefined) return { kind: "fenced" };
    const refusal = findRefusal(toMessageNode(node, this.#rows.version), message);
    for (const [text, key] of message.keys) this.#keys.set(text, key);
    if (refusal !== null) return refusal;
    const work = { ...this.#load(node, message), awaited: this.#findAwaited(message.nodeId, atMs) };
    return { kind: "drafted", message, ...draftSync(work, message) };
  }

  #findAwaited(nodeId: string, atMs: number): Awaited {
    const own = this.#rows.nodes.get(nodeId)?.awaitedUntilMs ?? null;
    const [other] = this.#listAwaited(atMs).filter((each) => each.nodeId !== nodeId);
    return { isSelf: own !== null && own > atMs, other: other ?? null };
  }

  #listAwaited(atMs: number): AwaitedNode[] {
    const awaited = [...this.#rows.nodes].flatMap(([nodeId, { awaitedUntilMs: untilMs }]) => {
      return untilMs !== null && untilMs > atMs ? [{ nodeId, untilMs }] : [];
    });
    return awaited.sort((a, b) => b.untilMs - a.untilMs || (a.nodeId < b.nodeId ? -1 : 1));
  }

  async write(draft: DraftedMessage, atMs: number): Promise<SyncAnswer | null> {
    const { message, answer, changes, isAwaiting } = draft;
    const { nodeId } = message;
    const node = this.#rows.nodes.get(nodeId);
    if (node === undefined) return { kind: "fenced" };
    const refusal = findRefusal(toMessageNode(node, this.#rows.version), message);
    if (refusal !== null) return refusal;
    if (!changes.every((change) => this.#isValid(nodeId, change))) return null;
    if (isAwaiting && this.#listAwaited(atMs).length === 0) return null;
    node.op = message.op;
    node.expiresAtMs = atMs + this.#times.ttlMs;
    node.fencedAtMs = null;
    const granted = this.#grantedOf(nodeId);
    for (const { text, grantedNanoUsd, keptNanoUsd } of changes) {
      if (grantedNanoUsd === null) granted.delete(text);
      else granted.set(text, grantedNanoUsd);
      if (keptNanoUsd === null) continue;
      this.#rows.tables.unresolved.push({
        nodeId,
        requestId: `epoch:${message.epoch}`,
        key: text,
        amount: keptNanoUsd,
        isUnresolved: true,
        sinceMs: atMs,
      });
      this.#balance(text).unresolvedNanoUsd += keptNanoUsd;
    }
    if (isAcknowledged(message, answer)) {
      node.acknowledged = message.limitsVersion;
      node.awaitedUntilMs = null;
      if (message.isLeaving) node.expiresAtMs = null;
    }
    return answer;
  }

  /** False: the change was decided on rows that have other values now. */
  #isValid(nodeId: string, { text, grantedNanoUsd, countId, isGuarded }: LeaseChange): boolean {
    if (grantedNanoUsd === null) return true;
    if (this.#rows.tables.counts.get(limitNameOfKey(text)) !== countId) return false;
    const limit = this.#rows.limits.get(limitNameOfKey(text));
    if (!isGuarded || limit === undefined) return true;
    const lease = this.#leaseOf(nodeId, text);
    const used = usedOf(this.#figuresOf(text)) - leftOf(lease);
    return used + leftOf({ ...lease, grantedNanoUsd }) <= limit.amountNanoUsd;
  }

  /** All rows of the message, in one snapshot. */
  #load(node: NodeRow, message: SyncMessage): Omit<LeaseWork, "awaited"> {
    const { nodeId } = message;
    const leases = new Map<string, LeaseRow>();
    const balances = new Map<string, BalanceRow>();
    const keys = new Map(message.keys);
    for (const text of message.isComplete ? this.#grantedOf(nodeId).keys() : []) {
      const key = this.#keys.get(text);
      if (key !== undefined) keys.set(text, key);
    }
    for (const key of keys.keys()) {
      const lease = this.#leaseOf(nodeId, key);
      if (lease.grantedNanoUsd > 0n || lease.drawnNanoUsd > 0n) leases.set(key, lease);
      balances.set(key, this.#figuresOf(key));
    }
    const limits = new Map<string, bigint>();
    const counts = new Map<string, bigint>();
    for (const [text, key] of message.keys) {
      const limit = this.#rows.limits.get(limitNameOf(key));
      if (limit) limits.set(text, limit.amountNanoUsd);
      const countId = this.#rows.tables.counts.get(limitNameOf(key));
      if (countId !== undefined) counts.set(text, countId);
    }
    const { foldedSeq } = node;
    const others = [...this.#rows.nodes].filter(([id, { expiresAtMs }]) => {
      return id !== nodeId && expiresAtMs !== null;
    });
    const liveNodes = others.length + 1;
    return { foldedSeq, liveNodes, keys, balances, leases, counts, limits, kept: new Map() };
  }

  async flush(request: FlushRequest): Promise<FlushAnswer> {
    const { nodeId, batch, to } = request;
    const node = this.#rows.nodes.get(nodeId);
    if (node === undefined || node.epoch !== request.epoch) return "fenced";
    if (node.flushedSeq === to) return "flushed";
    if (node.flushedSeq !== request.from) return "replaced";
    node.flushedSeq = to;
    this.#rows.tables.batches.push({ nodeId, toSeq: to, batch });
    return "flushed";
  }

  async beginFold(): Promise<void> {
    this.#fold = new MemoryFold({
      tables: this.#rows.tables,
      limits: () => [...this.#rows.limits.values()],
    });
  }

  async countLimits(): Promise<void> {
    const { counts, drawn } = this.#rows.tables;
    for (const name of this.#rows.limits.keys()) {
      if (counts.has(name)) continue;
      this.#rows.countIds += 1n;
      counts.set(name, this.#rows.countIds);
    }
    const leased = new Set<string>();
    for (const nodeId of this.#rows.nodes.keys()) {
      for (const key of this.#grantedOf(nodeId).keys()) {
        if (this.#isOlder && leftOf(this.#leaseOf(nodeId, key)) === 0n) continue;
        leased.add(limitNameOfKey(key));
      }
    }
    for (const name of [...counts.keys()]) {
      if (this.#rows.limits.has(name) || leased.has(name)) continue;
      counts.delete(name);
      for (const rows of [...this.#rows.granted.values(), ...drawn.values()]) {
        for (const key of [...rows.keys()]) if (limitNameOfKey(key) === name) rows.delete(key);
      }
    }
  }

  async continueFold(atMs: number): Promise<FoldedNode[] | null> {
    const folded = this.#fold?.continue(atMs) ?? null;
    if (folded === null) return null;
    this.#fold = null;
    for (const { nodeId, toSeq } of folded) {
      const node = this.#rows.nodes.get(nodeId);
      if (node) node.foldedSeq = toSeq;
    }
    return folded;
  }

  async rollBackFold(): Promise<void> {
    this.#fold = null;
  }

  async foldedSeq(nodeId: string): Promise<number> {
    return this.#rows.nodes.get(nodeId)?.foldedSeq ?? 0;
  }

  async fence(atMs: number): Promise<string[]> {
    const fenced: string[] = [];
    for (const [nodeId, node] of this.#rows.nodes) {
      if (node.awaitedUntilMs !== null && node.awaitedUntilMs <= atMs) node.awaitedUntilMs = null;
      if (node.expiresAtMs === null || atMs <= node.expiresAtMs + this.#times.graceMs) continue;
      node.epoch += 1n;
      node.expiresAtMs = null;
      node.fencedAtMs ??= atMs;
      fenced.push(nodeId);
    }
    return fenced;
  }

  async release(atMs: number): Promise<StoredLease[]> {
    const { releaseMs } = this.#times;
    return this.#release((row) => {
      if (row.requestId === "" && row.amount === 0n) return true;
      const isBudget = !row.requestId.startsWith("req_");
      const fromMs = isBudget ? Math.max(row.sinceMs, periodOfKey(row.key).endMs) : row.sinceMs;
      return fromMs + releaseMs <= atMs;
    });
  }

  async forget(nodeId: string): Promise<StoredLease[] | null> {
    const node = this.#rows.nodes.get(nodeId);
    if (node === undefined || isLive(node)) return null;
    return this.#release((row) => row.nodeId === nodeId && !row.requestId.startsWith("req_"));
  }

  #release(isReleased: (row: UnresolvedRow) => boolean): StoredLease[] {
    const tables = this.#rows.tables;
    const released: StoredLease[] = tables.unresolved.filter(isReleased);
    tables.unresolved = tables.unresolved.filter((row) => !isReleased(row));
    for (const { key, amount } of released) this.#balance(key).unresolvedNanoUsd -= amount;
    for (const [nodeId, { fencedAtMs }] of this.#rows.nodes) {
      if (fencedAtMs === null) continue;
      for (const row of this.#leasesOf(nodeId)) {
        if (!isReleased({ ...row, sinceMs: fencedAtMs })) continue;
        this.#grantedOf(nodeId).delete(row.key);
        if (row.amount > 0n) released.push(row);
      }
    }
    return released;
  }

  async setLimit(limit: StrictLimit, atMs: number): Promise<void> {
    const name = limitNameOf(limit);
    const before = this.#rows.limits.get(name);
    const isRaised = before !== undefined && isEased(before, limit);
    this.#rows.version += 1n;
    const version = isRaised ? before.version : this.#rows.version;
    const row = { ...limit, version, revision: this.#rows.version, changedAtMs: atMs };
    this.#rows.limits.set(name, row);
  }

  async removeLimit(limit: StrictLimit): Promise<void> {
    this.#rows.version += 1n;
    this.#rows.limits.delete(limitNameOf(limit));
  }

  async limits(): Promise<{ limits: StrictLimit[]; version: bigint }> {
    return { limits: [...this.#rows.limits.values()], version: this.#rows.version };
  }

  async activating(): Promise<StrictLimit[]> {
    const nodes = [...this.#rows.nodes.values()];
    const { batches } = this.#rows.tables;
    return [...this.#rows.limits.values()].filter((limit) => {
      const follows = ({ acknowledged }: NodeRow) => acknowledged >= limit.version;
      const isMissed = nodes.some((node) => isLive(node) && !follows(node));
      // Spend that is in no balance yet, and in no lease of this limit.
      const isUnfolded = batches.some(({ nodeId }) => {
        const node = this.#rows.nodes.get(nodeId);
        return node === undefined || !follows(node);
      });
      return isMissed || isUnfolded;
    });
  }

  async snapshot(): Promise<Snapshot> {
    const leases: StoredLease[] = [...this.#rows.tables.unresolved];
    const counters: StoredCounters[] = [];
    for (const nodeId of this.#rows.nodes.keys()) {
      leases.push(...this.#leasesOf(nodeId).filter(({ amount }) => amount > 0n));
      const drawn = this.#rows.tables.drawn.get(nodeId) ?? new Map<string, bigint>();
      for (const key of new Set([...this.#grantedOf(nodeId).keys(), ...drawn.keys()])) {
        const row = this.#leaseOf(nodeId, key);
        counters.push({ nodeId, key, granted: row.grantedNanoUsd, drawn: row.drawnNanoUsd });
      }
    }
    return {
      leases,
      counters,
      counts: new Map(this.#rows.tables.counts),
      alerted: new Map(this.#rows.tables.alerted),
      balances: this.#sumBalances(leases),
      nodes: new Map(
        [...this.#rows.nodes].map(([id, node]) => {
          const { epoch, flushedSeq, foldedSeq, expiresAtMs, awaitedUntilMs } = node;
          const ends = { expiresAtMs, awaitedUntilMs, isLive: isLive(node) };
          return [id, { epoch, flushedSeq, foldedSeq, ...ends }];
        }),
      ),
    };
  }

  async incarnation(): Promise<Incarnation> {
    return this.#rows.incarnation;
  }

  get #leastEpoch(): bigint {
    return this.#rows.incarnation.value << 32n;
  }

  async raise(raise: StoreRaise, atMs: number): Promise<Incarnation> {
    const { expectedId, known, newId: id, timeline } = raise;
    const before = this.#rows.incarnation;
    if (before.id !== expectedId) return before;
    const value = larger(before.value, known) + 1n;
    this.#rows.incarnation = { ...before, value, id, timeline };
    const { ttlMs } = this.#times;
    const waitMs = this.#times.awaitMs ?? awaitMs(ttlMs);
    for (const node of this.#rows.nodes.values()) {
      const { expiresAtMs, awaitedUntilMs } = node;
      const isKnown = expiresAtMs !== null && expiresAtMs + awaitMs(ttlMs) - ttlMs > atMs;
      const isAwaited = awaitedUntilMs !== null && awaitedUntilMs > atMs;
      node.awaitedUntilMs = isKnown || isAwaited ? atMs + waitMs : null;
      node.epoch = larger(node.epoch + 1n, this.#leastEpoch);
      node.expiresAtMs = null;
      node.fencedAtMs ??= atMs;
    }
    this.#rows.version = larger(this.#rows.version + 1n, this.#leastEpoch);
    return this.#rows.incarnation;
  }

  async save(): Promise<SavedRows> {
    this.#saves += 1;
    const saved: SavedMaps = { id: this.#saves, rows: copyRows(this.#rows) };
    return saved;
  }

  async restore(saved: SavedRows): Promise<void> {
    this.#rows = copyRows((saved as SavedMaps).rows);
    this.#fold = null;
  }

  #sumBalances(leases: readonly StoredLease[]): Map<string, StoredBalance> {
    const balances = new Map<string, StoredBalance>();
    for (const [key, row] of this.#rows.tables.balances) {
      balances.set(key, {
        settled: row.settledNanoUsd,
        leased: 0n,
        unresolved: row.unresolvedNanoUsd,
        overrun: row.overrunNanoUsd,
      });
    }
    for (const { key, requestId, amount, isUnresolved } of leases) {
      if (requestId !== "") continue;
      const sums = balances.get(key) ?? { settled: 0n, leased: 0n, unresolved: 0n, overrun: 0n };
      balances.set(key, sums);
      if (isUnresolved) sums.unresolved += amount;
      else sums.leased += amount;
    }
    return balances;
  }

  /** Sums of a grant's guard: the fold's numbers, and the leases of all nodes. */
  #figuresOf(key: string): BalanceRow {
    const row = this.#rows.tables.balances.get(key);
    const figures = {
      settledNanoUsd: row?.settledNanoUsd ?? 0n,
      leasedNanoUsd: 0n,
      unresolvedNanoUsd: row?.unresolvedNanoUsd ?? 0n,
    };
    for (const [nodeId, { fencedAtMs }] of this.#rows.nodes) {
      const left = leftOf(this.#leaseOf(nodeId, key));
      if (fencedAtMs === null) figures.leasedNanoUsd += left;
      else figures.unresolvedNanoUsd += left;
    }
    return figures;
  }

  #leasesOf(nodeId: string): StoredLease[] {
    const isUnresolved = this.#rows.nodes.get(nodeId)?.fencedAtMs !== null;
    return [...this.#grantedOf(nodeId).keys()].map((key) => {
      const amount = leftOf(this.#leaseOf(nodeId, key));
      return { nodeId, requestId: "", key, amount, isUnresolved };
    });
  }

  #leaseOf(nodeId: string, key: string): LeaseRow {
    return {
      grantedNanoUsd: this.#rows.granted.get(nodeId)?.get(key) ?? 0n,
      drawnNanoUsd: this.#rows.tables.drawn.get(nodeId)?.get(key) ?? 0n,
      isFenced: this.#rows.nodes.get(nodeId)?.fencedAtMs !== null,
    };
  }

  #grantedOf(nodeId: string): Map<string, bigint> {
    const granted = this.#rows.granted.get(nodeId) ?? new Map<string, bigint>();
    this.#rows.granted.set(nodeId, granted);
    return granted;
  }

  #balance(key: string) {
    return balanceOf(this.#rows.tables.balances, key);
  }
}

/** True if nodes with the earlier limit refuse all that the new one refuses. */
function isEased(before: StrictLimit, limit: StrictLimit): boolean {
  const isStepped = limit.hold === "steps" || before.hold !== "steps";
  return before.amountNanoUsd <= limit.amountNanoUsd && isStepped;
}

function isLive({ expiresAtMs, awaitedUntilMs }: NodeRow): boolean {
  return expiresAtMs !== null || awaitedUntilMs !== null;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function toMessageNode({ epoch, op, expiresAtMs }: NodeRow, version: bigint): MessageNode {
  return { epoch, op: BigInt(op), isLive: expiresAtMs !== null, version };
}

function limitNameOf({
  scopeType,
  scopeId,
  period,
}: Pick<LeaseKey, "scopeType" | "scopeId" | "period">): string {
  return `${scopeType}\n${scopeId}\n${period}`;
}
