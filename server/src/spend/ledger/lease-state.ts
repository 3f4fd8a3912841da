import type { StrictLimit } from "./hold-refusal.ts";
import type { Figures, LeaseKey } from "./lease-rules.ts";
import type { LeaseTraffic } from "./lease-traffic.ts";

/** Lease of this node on one limited balance. granted = drawn + held + free. Amounts are integer nano-USD. */
export interface LeaseState {
  key: LeaseKey;
  text: string;
  startMs: number;
  endMs: number;
  /** Null once the limit was removed or is no longer strict. */
  limit: StrictLimit | null;
  /** The database's count of draws. Null: the lease is not open. */
  countId: bigint | null;
  /**
   * The lease is not open, and has its budget from before a failover. `granted` and `drawn` then count from the failover on.
   */
  isKept: boolean;
  /** Sum of all grants. At most the number that the database has. */
  granted: bigint;
  /** Draws of all ended requests, counted by a fold or not. The database's number reaches it when all are counted. */
  drawn: bigint;
  /** Holds of running requests: worst cases, and those of streams in steps. */
  held: bigint;
  /** Usual holds of the streams in steps above their holds. Admission leaves them free. */
  reserved: bigint;
  /** Balance in the last answer. */
  seen: Figures | null;
  /** Balance in the last answer before the limit was lowered or created. Explains refusals only. */
  seenBefore: Figures | null;
  /** Time of that answer on the monotonic clock, milliseconds. */
  seenAtMs: number;
  /** Time until which the lease returns its free budget and requests none in advance. Monotonic clock, milliseconds. */
  returningUntilMs: number;
  traffic: LeaseTraffic;
  /** Version of the limits that lowered or created the limit of this lease. */
  changedIn: bigint;
}

/** `nowMs`: the node's monotonic clock. `atMs`: the database's clock, which never moves back here. */
export interface Now {
  nowMs: number;
  atMs: number;
}
