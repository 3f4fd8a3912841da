/** A proxy in front of the mock upstream, or the mock itself. */
export interface Target {
  name: string;
  port: number;
  /** Path of the requests. Default: that of messages. */
  path?: string;
  /** Headers that authenticate a request. */
  headers: Record<string, string>;
  /** Processes whose CPU and memory count for the target. */
  pids: readonly number[];
  database: DatabaseProbe | null;
  /** Time from the start of its process until it served, milliseconds. */
  readyMs: number;
  /** Creates keys that each have a strict limit, and returns them. Null for a target without limits. */
  createLimitedKeys: ((count: number) => Promise<string[]>) | null;
  /** Number of requests recorded since the start. Null for a target without records. */
  countRecorded: (() => Promise<number>) | null;
  stop(): Promise<void>;
}

/** Measurements of a target's PostgreSQL, which count separately. */
export interface DatabaseProbe {
  version: string;
  /** Current process ids. */
  pids(): readonly number[];
  /** CPU time since the start, including ended processes, microseconds. */
  cpuMicros(): number;
  /** Transactions committed and rolled back since the start. PostgreSQL's count lags by up to a second. */
  countTransactions(): Promise<number>;
  close(): Promise<void>;
}

export interface StartOptions {
  /** Port of the mock upstream on loopback. */
  upstreamPort: number;
  /** Existing folder for the target's files. The caller removes it. */
  folder: string;
  /** Processes of Bursar, workers of nginx. Default: 1. */
  processes?: number;
  /** Further settings of Bursar, by environment variable. */
  settings?: Readonly<Record<string, string>>;
  /** Checkout to start a server from. Default: this one. */
  source?: string;
}
