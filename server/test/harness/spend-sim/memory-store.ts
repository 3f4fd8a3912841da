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
import {
  balanceOf,
  type FoldTables,
  type LimitRow,
  limitNameOfKey,
  MemoryFold,
  type UnresolvedRow,
} from "./memory-fold.ts";
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

interface NodeRow {
  epoch: bigint;
  flushedSeq: number;
  foldedSeq: number;
  op: number;
  expiresAtMs: number | null;
  acknowledged: bigint;
  /** Null: not fenced. */
  fencedAtMs: number | null;
  /** Null: its leases are known. */
  awaitedUntilMs: number | null;
}

interface SavedMaps extends SavedRows {
  rows: MemoryRows;
}

interface MemoryRows {
  nodes: Map<string, NodeRow>;
  granted: Map<string, Map<string, bigint>>;
  tables: FoldTables;
  limits: Map<string, LimitRow>;
  version: bigint;
  countIds: bigint;
  incarnation: Incarnation;
}

/** Plain maps instead of the database, under the rules of the product. */
export class MemoryStore implements SpendStore {
  readonly #times: StoreTimes;
  #nodes = new Map<string, NodeRow>();
  /** Written by messages of the nodes: by node and key text. */
  #granted = new Map<string, Map<string, bigint>>();
  /** Keys of all messages, by key text. */
  readonly #keys = new Map<string, LeaseKey>();
  /** Written by folds. */
  #tables: FoldTables = {
    balances: new Map(),
    drawn: new Map(),
    counts: new Map(),
    unresolved: [],
    batches: [],
  };
  #limits = new Map<string, LimitRow>();
  #version = 0n;
  #fold: MemoryFold | null = null;
  #countIds = 0n;
  #incarnation: Incarnation = { value: 0n, id: "first", ...FIRST_SERVER };
  #saves = 0;

  constructor(times: StoreTimes) {
    this.#times = times;
  }

  async enter(nodeId: string): Promise<{ epoch: bigint; flushedSeq: number }> {
    const node = this.#nodes.get(nodeId) ?? {
      ...NEW_NODE,
      epoch: larger(this.#leastEpoch, 1n) - 1n,
    };
    node.epoch += 1n;
    node.op = 0;
    this.#nodes.set(nodeId, node);
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
    const node = this.#nodes.get(message.nodeId);
    if (node === undefined) return { kind: "fenced" };
    const refusal = findRefusal(toMessageNode(node, this.#version), message);
    for (const [text, key] of message.keys) this.#keys.set(text, key);
    if (refusal !== null) return refusal;
    const work = { ...this.#load(node, message), awaited: this.#findAwaited(message.nodeId, atMs) };
    return { kind: "drafted", message, ...draftSync(work, message) };
  }

  #findAwaited(nodeId: string, atMs: number): Awaited {
    const own = this.#nodes.get(nodeId)?.awaitedUntilMs ?? null;
    const [other] = this.#listAwaited(atMs).filter((each) => each.nodeId !== nodeId);
    return { isSelf: own !== null && own > atMs, other: other ?? null };
  }

  #listAwaited(atMs: number): AwaitedNode[] {
    const awaited = [...this.#nodes].flatMap(([nodeId, { awaitedUntilMs: untilMs }]) => {
      return untilMs !== null && untilMs > atMs ? [{ nodeId, untilMs }] : [];
    });
    return awaited.sort((a, b) => b.untilMs - a.untilMs || (a.nodeId < b.nodeId ? -1 : 1));
  }

  async write(draft: DraftedMessage, atMs: number): Promise<SyncAnswer | null> {
    const { message, answer, changes, isAwaiting } = draft;
    const { nodeId } = message;
    const node = this.#nodes.get(nodeId);
    if (node === undefined) return { kind: "fenced" };
    const refusal = findRefusal(toMessageNode(node, this.#version), message);
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
      this.#tables.unresolved.push({
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
    if (this.#tables.counts.get(limitNameOfKey(text)) !== countId) return false;
    const limit = this.#limits.get(limitNameOfKey(text));
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
      const limit = this.#limits.get(limitNameOf(key));
      if (limit) limits.set(text, limit.amountNanoUsd);
      const countId = this.#tables.counts.get(limitNameOf(key));
      if (countId !== undefined) counts.set(text, countId);
    }
    const { foldedSeq } = node;
    const others = [...this.#nodes].filter(([id, { expiresAtMs }]) => {
      return id !== nodeId && expiresAtMs !== null;
    });
    const liveNodes = others.length + 1;
    return { foldedSeq, liveNodes, keys, balances, leases, counts, limits, kept: new Map() };
  }

  async flush(request: FlushRequest): Promise<FlushAnswer> {
    const { nodeId, batch, to } = request;
    const node = this.#nodes.get(nodeId);
    if (node === undefined || node.epoch !== request.epoch) return "fenced";
    if (node.flushedSeq === to) return "flushed";
    if (node.flushedSeq !== request.from) return "replaced";
    node.flushedSeq = to;
    this.#tables.batches.push({ nodeId, toSeq: to, batch });
    return "flushed";
  }

  async beginFold(): Promise<void> {
    this.#fold = new MemoryFold({
      tables: this.#tables,
      limits: () => [...this.#limits.values()],
    });
  }

  async countLimits(): Promise<void> {
    const { counts, drawn } = this.#tables;
    for (const name of this.#limits.keys()) {
      if (counts.has(name)) continue;
      this.#countIds += 1n;
      counts.set(name, this.#countIds);
    }
    const leased = new Set<string>();
    for (const nodeId of this.#nodes.keys()) {
      for (const key of this.#grantedOf(nodeId).keys()) leased.add(limitNameOfKey(key));
    }
    for (const name of [...counts.keys()]) {
      if (this.#limits.has(name) || leased.has(name)) continue;
      counts.delete(name);
      for (const rows of [...this.#granted.values(), ...drawn.values()]) {
        for (const key of [...rows.keys()]) if (limitNameOfKey(key) === name) rows.delete(key);
      }
    }
  }

  async continueFold(atMs: number): Promise<FoldedNode[] | null> {
    const folded = this.#fold?.continue(atMs) ?? null;
    if (folded === null) return null;
    this.#fold = null;
    for (const { nodeId, toSeq } of folded) {
      const node = this.#nodes.get(nodeId);
      if (node) node.foldedSeq = toSeq;
    }
    return folded;
  }

  async rollBackFold(): Promise<void> {
    this.#fold = null;
  }

  async foldedSeq(nodeId: string): Promise<number> {
    return this.#nodes.get(nodeId)?.foldedSeq ?? 0;
  }

  async fence(atMs: number): Promise<string[]> {
    const fenced: string[] = [];
    for (const [nodeId, node] of this.#nodes) {
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
    const node = this.#nodes.get(nodeId);
    if (node === undefined || isLive(node)) return null;
    return this.#release((row) => row.nodeId === nodeId && !row.requestId.startsWith("req_"));
  }

  #release(isReleased: (row: UnresolvedRow) => boolean): StoredLease[] {
    const tables = this.#tables;
    const released: StoredLease[] = tables.unresolved.filter(isReleased);
    tables.unresolved = tables.unresolved.filter((row) => !isReleased(row));
    for (const { key, amount } of released) this.#balance(key).unresolvedNanoUsd -= amount;
    for (const [nodeId, { fencedAtMs }] of this.#nodes) {
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
    const before = this.#limits.get(name);
    const isRaised = before !== undefined && before.amountNanoUsd <= limit.amountNanoUsd;
    this.#version += 1n;
    const version = isRaised ? before.version : this.#version;
    const row = { ...limit, version, revision: this.#version, changedAtMs: atMs };
    this.#limits.set(name, row);
  }

  async removeLimit(limit: StrictLimit): Promise<void> {
    this.#version += 1n;
    this.#limits.delete(limitNameOf(limit));
  }

  async limits(): Promise<{ limits: StrictLimit[]; version: bigint }> {
    return { limits: [...this.#limits.values()], version: this.#version };
  }

  async activating(): Promise<StrictLimit[]> {
    const nodes = [...this.#nodes.values()];
    const { batches } = this.#tables;
    return [...this.#limits.values()].filter((limit) => {
      const follows = ({ acknowledged }: NodeRow) => acknowledged >= limit.version;
      const isMissed = nodes.some((node) => isLive(node) && !follows(node));
      // Spend that is in no balance yet, and in no lease of this limit.
      const isUnfolded = batches.some(({ nodeId }) => {
        const node = this.#nodes.get(nodeId);
        return node === undefined || !follows(node);
      });
      return isMissed || isUnfolded;
    });
  }

  async snapshot(): Promise<Snapshot> {
    const leases: StoredLease[] = [...this.#tables.unresolved];
    const counters: StoredCounters[] = [];
    for (const nodeId of this.#nodes.keys()) {
      leases.push(...this.#leasesOf(nodeId).filter(({ amount }) => amount > 0n));
      const drawn = this.#tables.drawn.get(nodeId) ?? new Map<string, bigint>();
      for (const key of new Set([...this.#grantedOf(nodeId).keys(), ...drawn.keys()])) {
        const row = this.#leaseOf(nodeId, key);
        counters.push({ nodeId, key, granted: row.grantedNanoUsd, drawn: row.drawnNanoUsd });
      }
    }
    return {
      leases,
      counters,
      counts: new Map(this.#tables.counts),
      balances: this.#sumBalances(leases),
      nodes: new Map(
        [...this.#nodes].map(([id, node]) => {
          const { epoch, flushedSeq, foldedSeq, expiresAtMs, awaitedUntilMs } = node;
          const ends = { expiresAtMs, awaitedUntilMs, isLive: isLive(node) };
          return [id, { epoch, flushedSeq, foldedSeq, ...ends }];
        }),
      ),
    };
  }

  async incarnation(): Promise<Incarnation> {
    return this.#incarnation;
  }

  get #leastEpoch(): bigint {
    return this.#incarnation.value << 32n;
  }

  async raise(raise: StoreRaise, atMs: number): Promise<Incarnation> {
    const { expectedId, known, newId: id, timeline } = raise;
    const before = this.#incarnation;
    if (before.id !== expectedId) return before;
    const value = larger(before.value, known) + 1n;
    this.#incarnation = { ...before, value, id, timeline };
    const { ttlMs } = this.#times;
    const waitMs = this.#times.awaitMs ?? awaitMs(ttlMs);
    for (const node of this.#nodes.values()) {
      const { expiresAtMs, awaitedUntilMs } = node;
      const isKnown = expiresAtMs !== null && expiresAtMs + awaitMs(ttlMs) - ttlMs > atMs;
      const isAwaited = awaitedUntilMs !== null && awaitedUntilMs > atMs;
      node.awaitedUntilMs = isKnown || isAwaited ? atMs + waitMs : null;
      node.epoch = larger(node.epoch + 1n, this.#leastEpoch);
      node.expiresAtMs = null;
      node.fencedAtMs ??= atMs;
    }
    this.#version = larger(this.#version + 1n, this.#leastEpoch);
    return this.#incarnation;
  }

  async save(): Promise<SavedRows> {
    this.#saves += 1;
    const saved: SavedMaps = { id: this.#saves, rows: copyRows(this.#rows) };
    return saved;
  }

  async restore(saved: SavedRows): Promise<void> {
    const rows = copyRows((saved as SavedMaps).rows);
    this.#nodes = rows.nodes;
    this.#granted = rows.granted;
    this.#tables = rows.tables;
    this.#limits = rows.limits;
    this.#version = rows.version;
    this.#countIds = rows.countIds;
    this.#incarnation = rows.incarnation;
    this.#fold = null;
  }

  get #rows(): MemoryRows {
    return {
      nodes: this.#nodes,
      granted: this.#granted,
      tables: this.#tables,
      limits: this.#limits,
      version: this.#version,
      countIds: this.#countIds,
      incarnation: this.#incarnation,
    };
  }

  #sumBalances(leases: readonly StoredLease[]): Map<string, StoredBalance> {
    const balances = new Map<string, StoredBalance>();
    for (const [key, row] of this.#tables.balances) {
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
    const row = this.#tables.balances.get(key);
    const figures = {
      settledNanoUsd: row?.settledNanoUsd ?? 0n,
      leasedNanoUsd: 0n,
      unresolvedNanoUsd: row?.unresolvedNanoUsd ?? 0n,
    };
    for (const [nodeId, { fencedAtMs }] of this.#nodes) {
      const left = leftOf(this.#leaseOf(nodeId, key));
      if (fencedAtMs === null) figures.leasedNanoUsd += left;
      else figures.unresolvedNanoUsd += left;
    }
    return figures;
  }

  #leasesOf(nodeId: string): StoredLease[] {
    const isUnresolved = this.#nodes.get(nodeId)?.fencedAtMs !== null;
    return [...this.#grantedOf(nodeId).keys()].map((key) => {
      const amount = leftOf(this.#leaseOf(nodeId, key));
      return { nodeId, requestId: "", key, amount, isUnresolved };
    });
  }

  #leaseOf(nodeId: string, key: string): LeaseRow {
    return {
      grantedNanoUsd: this.#granted.get(nodeId)?.get(key) ?? 0n,
      drawnNanoUsd: this.#tables.drawn.get(nodeId)?.get(key) ?? 0n,
      isFenced: this.#nodes.get(nodeId)?.fencedAtMs !== null,
    };
  }

  #grantedOf(nodeId: string): Map<string, bigint> {
    const granted = this.#granted.get(nodeId) ?? new Map<string, bigint>();
    this.#granted.set(nodeId, granted);
    return granted;
  }

  #balance(key: string) {
    return balanceOf(this.#tables.balances, key);
  }
}

function isLive({ expiresAtMs, awaitedUntilMs }: NodeRow): boolean {
  return expiresAtMs !== null || awaitedUntilMs !== null;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function copyRows(rows: MemoryRows): MemoryRows {
  const { tables } = rows;
  return {
    ...rows,
    nodes: copyMap(rows.nodes, (row) => ({ ...row })),
    granted: copyMap(rows.granted, (row) => new Map(row)),
    limits: new Map(rows.limits),
    tables: {
      balances: copyMap(tables.balances, (row) => ({ ...row })),
      drawn: copyMap(tables.drawn, (row) => new Map(row)),
      counts: new Map(tables.counts),
      unresolved: tables.unresolved.map((row) => ({ ...row })),
      batches: [...tables.batches],
    },
  };
}

function copyMap<Key, Value>(map: Map<Key, Value>, copy: (value: Value) => Value): Map<Key, Value> {
  return new Map([...map].map(([key, value]) => [key, copy(value)]));
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

const NEW_NODE: NodeRow = {
  epoch: 0n,
  flushedSeq: 0,
  foldedSeq: 0,
  op: 0,
  expiresAtMs: null,
  acknowledged: -1n,
  fencedAtMs: null,
  awaitedUntilMs: null,
};

/** The server that each run starts with. */
export const FIRST_SERVER = { timeline: 1n, systemIdentifier: "one" };
