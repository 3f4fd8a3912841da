import type { Incarnation } from "#src/db/incarnation.ts";
import type { FoldTables, LimitRow } from "./memory-fold.ts";
import type { SavedRows } from "./store.ts";

// Rows of the simulated database, as plain maps.

export interface NodeRow {
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

export interface SavedMaps extends SavedRows {
  rows: MemoryRows;
}

export interface MemoryRows {
  nodes: Map<string, NodeRow>;
  /** Written by messages of the nodes: by node and key text. */
  granted: Map<string, Map<string, bigint>>;
  /** Written by folds. */
  tables: FoldTables;
  limits: Map<string, LimitRow>;
  version: bigint;
  countIds: bigint;
  incarnation: Incarnation;
}

/** The server that each run starts with. */
export const FIRST_SERVER = { timeline: 1n, systemIdentifier: "one" };

export const NEW_NODE: NodeRow = {
  epoch: 0n,
  flushedSeq: 0,
  foldedSeq: 0,
  op: 0,
  expiresAtMs: null,
  acknowledged: -1n,
  fencedAtMs: null,
  awaitedUntilMs: null,
};

export function makeRows(): MemoryRows {
  return {
    nodes: new Map(),
    granted: new Map(),
    tables: {
      balances: new Map(),
      drawn: new Map(),
      counts: new Map(),
      unresolved: [],
      alerted: new Map(),
      batches: [],
    },
    limits: new Map(),
    version: 0n,
    countIds: 0n,
    incarnation: { value: 0n, id: "first", ...FIRST_SERVER },
  };
}

/** Copies all rows, so that changes of one copy leave the other the same. */
export function copyRows(rows: MemoryRows): MemoryRows {
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
      alerted: new Map(tables.alerted),
      batches: [...tables.batches],
    },
  };
}

function copyMap<Key, Value>(map: Map<Key, Value>, copy: (value: Value) => Value): Map<Key, Value> {
  return new Map([...map].map(([key, value]) => [key, copy(value)]));
}
