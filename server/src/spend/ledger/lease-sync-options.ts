import type { Incarnations } from "#src/db/incarnation.ts";
import type { Database } from "#src/db/pool.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { LeaseFold } from "./lease-cleanup.ts";
import type { RunningHold } from "./lease-table.ts";

export interface LeaseSyncOptions extends LeaseFold {
  database: Database;
  /** Reports failovers of the database. Default: none is reported. */
  incarnations?: Pick<Incarnations, "subscribe">;
  nodeId: string;
  /** The database's clock, milliseconds since the epoch. */
  databaseNowMs: () => number;
  clock: Clock;
  logger: Logger;
  /** BURSAR_LEASE_TTL, BURSAR_HOLD_WAIT, BURSAR_UNRESOLVED_RELEASE. */
  ttlMs: number;
  holdWaitMs: number;
  unresolvedReleaseMs: number;
  /** Highest number of requests that wait for budget at once. */
  maxWaiting?: number;
  /**
   * Starts a new epoch after a fence or a failover, and calls `entered`. Does neither if another process has the node's id.
   * Rejects with the database's error.
   */
  reenter: () => Promise<void>;
  /** Records that the database knows of the gap in the journal. From then on the journal counts as whole. */
  acknowledgeJournalGap: () => void;
  /** Lists running requests of these scopes without a hold, and writes their holds to the journal. */
  holdRunning: (scopeIds: ReadonlySet<string>) => readonly RunningHold[];
  /** Resolves when all accepted journal records survive a crash. Rejects if the journal failed. */
  journalSynced: () => Promise<void>;
}
