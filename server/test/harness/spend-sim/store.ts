import type { EndRecord } from "#src/domain/request-record.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import type { SyncAnswer, SyncMessage } from "#src/spend/ledger/lease-rules.ts";

// What the simulated nodes talk to: once over plain maps, once over PostgreSQL. `atMs` is the database's clock.

export interface FlushRequest {
  nodeId: string;
  epoch: bigint;
  from: number;
  to: number;
  batch: readonly EndRecord[];
}

/** replaced: the node's row is further than this step begins; never said to a step that is waited for. */
export type FlushAnswer = "flushed" | "fenced" | "replaced";

export interface StoredBalance {
  settled: bigint;
  leased: bigint;
  unresolved: bigint;
  /** Settled beyond the limit in force. */
  overrun: bigint;
}

/** One lease, or one amount that is unresolved (`requestId` "" is a lease, reclaimed or not). */
export interface StoredLease {
  nodeId: string;
  requestId: string;
  key: string;
  amount: bigint;
  isUnresolved: boolean;
}

export interface StoredNode {
  epoch: bigint;
  flushedSeq: number;
  /** It counts when limits are activated: it has told its leases and was not reclaimed since. */
  isLive: boolean;
}

export interface Snapshot {
  balances: ReadonlyMap<string, StoredBalance>;
  leases: readonly StoredLease[];
  nodes: ReadonlyMap<string, StoredNode>;
}

export interface SpendStore {
  enter(nodeId: string): Promise<{ epoch: bigint; flushedSeq: number }>;
  sync(message: SyncMessage, atMs: number): Promise<SyncAnswer>;
  flush(request: FlushRequest, atMs: number): Promise<FlushAnswer>;
  /** Takes the leases of nodes that were not heard of for too long; their ids. */
  reclaim(atMs: number): Promise<string[]>;
  /** Releases what has been unresolved for too long. */
  release(atMs: number): Promise<StoredLease[]>;
  /** Releases the budget of a node by a decision; null: the node is in contact. */
  forget(nodeId: string): Promise<StoredLease[] | null>;
  setLimit(limit: StrictLimit, atMs: number): Promise<void>;
  removeLimit(limit: StrictLimit): Promise<void>;
  limits(): Promise<{ limits: StrictLimit[]; version: bigint }>;
  /** Those of `limits` that some live node does not keep yet. */
  activating(): Promise<StrictLimit[]>;
  snapshot(): Promise<Snapshot>;
}

export interface StoreTimes {
  ttlMs: number;
  graceMs: number;
  releaseMs: number;
}
