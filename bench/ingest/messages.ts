// Messages between the driver and its node processes.

export interface NodeStart {
  kind: "start";
  /** Checkout whose modules the node runs. */
  source: string;
  /** Data folder with the database, its secret and the journals. */
  folder: string;
  connectionString: string;
  /** Number of the node, from 1. */
  index: number;
  nodes: number;
}

/** Part of one node in the load. */
export interface FeedPlan {
  organizationId: string;
  /** Number of the node, from 0. */
  position: number;
  nodes: number;
  /** First key in use. */
  firstKey: number;
  /** Number of keys in use. */
  keys: number;
  /** Highest number of this node's requests that are begun but not settled. */
  backlog: number;
  /** Null: as fast as they are settled. */
  ratePerSecond: number | null;
  /** Requests of this node in total. Null: until `pause`. */
  requests: number | null;
  /** Hours before now over which the starts of `requests` are spread. 0: requests start now. */
  hours: number;
  /** Key whose requests are timed until a report shows them. Null: none. */
  probeKey: number | null;
}

export type ToNode =
  | NodeStart
  | ({ kind: "feed" } & FeedPlan)
  /** This node may have begun so many requests in total. */
  | { kind: "allow"; upTo: number }
  /** Forgets the measurements so far. */
  | { kind: "reset" }
  | { kind: "report" }
  /** Begins no more requests and ends those that run. */
  | { kind: "pause" }
  /** Stops the node as a server does. */
  | { kind: "leave" };

export interface NodeReady {
  /** Cost of each request, nano-USD. */
  costNanoUsd: number;
}

export interface NodeReport {
  /** Requests ended since the start. */
  ended: number;
  /** Records that wait for their flush. */
  pending: number;
  /** Decided holds since the last reset. */
  holds: number;
  /** Waiting times of holds that needed a grant, since the last reset. Milliseconds. */
  waitsMs: number[];
  /** Refused requests by reason, since the start. */
  refused: Record<string, number>;
  /** Times at which the probes ended, on the monotonic clock of the machine. */
  probesEndedMs: number[];
}
