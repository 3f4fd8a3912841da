import { afterAll, expect, test } from "vitest";
import {
  expectedState,
  readFailoverFigures,
  readFailoverState,
} from "#test/harness/failover-facts.ts";
import { runFailover, toFailingDatabase } from "#test/harness/failover-run.ts";
import { startReplicatedPostgres } from "#test/harness/replicated-postgres.ts";
import { stopAllServers } from "#test/harness/server-process.ts";

// Three nodes under load. One of them is killed in the same second in which PostgreSQL fails over to its standby.

afterAll(stopAllServers);

const NODES = 3;
const SEED = 20_261_201;

test(`a failover to a synchronous standby loses nothing, and no request is refused (seed ${SEED})`, {
  timeout: 900_000,
}, async () => {
  const postgres = await startReplicatedPostgres({ isSynchronous: true });
  try {
    const options = { database: toFailingDatabase(postgres), seed: SEED, nodeCount: NODES };
    await runFailover(options, async (failover) => {
      expect(failover.lostRecordIds).toEqual([]);
      const figures = await readFailoverFigures(failover, { mayOverrun: false });
      expect(figures.wide.answered).toBeGreaterThan(0);
      expect(figures.tight.answered).toBeGreaterThan(0);
      expect(figures.lostEvents).toBe(0);
      expect(await readFailoverState(failover)).toEqual(expectedState);
    });
  } finally {
    await postgres.stop();
  }
});
