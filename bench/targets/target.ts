/** Something that answers Claude requests in front of the mock upstream, or the mock itself. */
export interface Target {
  name: string;
  port: number;
  /** What authenticates a request to it. */
  headers: Record<string, string>;
  /** Its processes, whose CPU and memory are the target's. */
  pids: readonly number[];
  database: DatabaseProbe | null;
  /** Requests that it has recorded since it started; null for a target that records none. */
  countRecorded: (() => Promise<number>) | null;
  stop(): Promise<void>;
}

/** What PostgreSQL does for a target; it is counted apart from the target itself. */
export interface DatabaseProbe {
  version: string;
  /** All of its processes, now. */
  pids(): readonly number[];
  /** CPU time since it started, ended processes included, in microseconds. */
  cpuMicros(): number;
  /** Committed and rolled back since it started; PostgreSQL's own count lags by up to a second. */
  countTransactions(): Promise<number>;
  close(): Promise<void>;
}

export interface StartOptions {
  /** Port of the mock upstream on loopback. */
  upstreamPort: number;
  /** Existing folder for the target's files, removed at the end by the caller. */
  folder: string;
  /** The clone to start a server from; this one when not given. */
  source?: string;
}
