/** Most connections of one process, for each use. */
export interface PoolSizes {
  requestConnections: number;
  adminConnections: number;
  /** Both job queues together (process/start-jobs.ts). */
  jobConnections: number;
}

/** Pools of a command, which runs a few statements. */
export const commandPools: PoolSizes = {
  requestConnections: 8,
  adminConnections: 8,
  jobConnections: 6,
};

/** A process opens these for its own journal in the database, or to finish the journal of a node that is gone. */
export const JOURNAL_CONNECTIONS = 2;

/** Receives notifications (notifications.ts). */
const LISTENING_CONNECTIONS = 1;

/** Returns the most connections that one process opens. */
export function countConnections(pools: PoolSizes): number {
  const { requestConnections, adminConnections, jobConnections } = pools;
  const fixed = JOURNAL_CONNECTIONS + LISTENING_CONNECTIONS;
  return requestConnections + adminConnections + jobConnections + fixed;
}
