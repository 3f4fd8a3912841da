import type { Incarnation } from "#src/db/incarnation.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import type { SyncAnswer, SyncMessage } from "#src/spend/ledger/lease-rules.ts";
import type { Draft, DraftedMessage } from "#src/spend/ledger/leases.sql.ts";
import type { ToldOverrun } from "./alerts.ts";

// Store of the simulated nodes: plain maps or PostgreSQL. `atMs` is the database's clock.

export interface FlushRequest {
  nodeId: string;
  epoch: bigint;
  from: number;
  to: number;
  batch: readonly EndRecord[];
}

/** "replaced": the node's row is past the start of this step. Never returned for an awaited step. */
export type FlushAnswer = "flushed" | "fenced" | "replaced";

/** Position of a node up to which a fold has counted its ends. */
export interface FoldedNode {
  nodeId: string;
  toSeq: number;
}

export interface StoredBalance {
  settled: bigint;
  leased: bigint;
  unresolved: bigint;
  /** Amount settled beyond the limit in force. */
  overrun: bigint;
}

/** One lease, or one unresolved amount. `requestId` "" is a lease, fenced or not. */
export interface StoredLease {
  nodeId: string;
  requestId: string;
  key: string;
  /** Part of a lease that is not drawn. */
  amount: bigint;
  isUnresolved: boolean;
}

/** The two numbers of a lease. */
export interface StoredCounters {
  nodeId: string;
  key: string;
  granted: bigint;
  drawn: bigint;
}

export interface StoredNode {
  epoch: bigint;
  flushedSeq: number;
  foldedSeq: number;
  /**
   * Whether limit activation waits for the node. The node reported its leases and was not fenced since, or its report is
   * awaited after a failover.
   */
  isLive: boolean;
  /** End of its leases, and of the wait for its report. Null: none. */
  expiresAtMs: number | null;
  awaitedUntilMs: number | null;
}

export interface Snapshot {
  balances: ReadonlyMap<string, StoredBalance>;
  leases: readonly StoredLease[];
  counters: readonly StoredCounters[];
  /** Id of the count of draws, by limit. */
  counts: ReadonlyMap<string, bigint>;
  /** Firings about overruns, by key text. */
  alerted: ReadonlyMap<string, ToldOverrun>;
  nodes: ReadonlyMap<string, StoredNode>;
}

/** Raise of the incarnation by a process that found another timeline. */
export interface StoreRaise {
  expectedId: string;
  /** Highest value that the process knows. */
  known: bigint;
  newId: string;
  timeline: bigint;
}

export interface SpendStore {
  enter(nodeId: string): Promise<{ epoch: bigint; flushedSeq: number }>;
  /** Handles a message at once. */
  sync(message: SyncMessage, atMs: number): Promise<SyncAnswer>;
  /** Reads the rows of a message and decides on it. "older": use `sync`. */
  draft(message: SyncMessage, atMs: number): Promise<Draft>;
  /** Writes a decision. Null: it is not valid any more, and nothing is written. */
  write(draft: DraftedMessage, atMs: number): Promise<SyncAnswer | null>;
  /** Appends a batch. No balance changes. */
  flush(request: FlushRequest, atMs: number): Promise<FlushAnswer>;
  /** Acquires the fold's lock. The caller knows that it is free. */
  beginFold(): Promise<void>;
  /** Runs the next statement of the fold. Returns the folded positions after the commit, else null. */
  continueFold(atMs: number): Promise<FoldedNode[] | null>;
  /** The fold's process died, or lost its connection: nothing of the transaction remains. */
  rollBackFold(): Promise<void>;
  /** Counts draws on new limits from now on, and no longer on unused ones. The caller knows that the lock is free. */
  countLimits(atMs: number): Promise<void>;
  /** Position up to which folds have counted the node's ends. */
  foldedSeq(nodeId: string): Promise<number>;
  /** Fences nodes that were silent for too long. Returns the ids of the nodes. */
  fence(atMs: number): Promise<string[]>;
  /** Releases amounts that were unresolved for too long. */
  release(atMs: number): Promise<StoredLease[]>;
  /** Releases the budget of a node by an administrator's decision. Null: the node is in contact. */
  forget(nodeId: string): Promise<StoredLease[] | null>;
  setLimit(limit: StrictLimit, atMs: number): Promise<void>;
  removeLimit(limit: StrictLimit): Promise<void>;
  limits(): Promise<{ limits: StrictLimit[]; version: bigint }>;
  /** Strict limits that do not count all spend yet. */
  activating(): Promise<StrictLimit[]>;
  snapshot(): Promise<Snapshot>;
  /** The newest incarnation that is stored. */
  incarnation(): Promise<Incarnation>;
  raise(raise: StoreRaise, atMs: number): Promise<Incarnation>;
  /** Saves all rows. */
  save(): Promise<SavedRows>;
  /** Replaces all rows by saved ones, as a failover to an asynchronous standby does. */
  restore(saved: SavedRows): Promise<void>;
}

/** Rows at one moment. Only the store that saved them reads them. */
export type SavedRows = { id: number };

export interface StoreTimes {
  ttlMs: number;
  graceMs: number;
  releaseMs: number;
  /** Time that grants wait for nodes after a failover. Default: `awaitMs`. */
  awaitMs?: number;
}

/** Time after its last message in which a node can send another one, and in which a promoted server waits for it. */
export function awaitMs(ttlMs: number): number {
  return ttlMs * 1.25;
}
