import { afterAll, expect, test } from "vitest";
import {
  expectedState,
  readFailoverFigures,
  readFailoverState,
} from "#test/harness/failover-facts.ts";
import { runFailover, toFailingDatabase } from "#test/harness/failover-run.ts";
import { startReplicatedPostgres } from "#test/harness/replicated-postgres.ts";
import { stopAllServers } from "#test/harness/server-process.ts";

// As failover.test.ts, with an asynchronous standby that lacks the last 1.5 s.

afterAll(stopAllServers);

const NODES = 3;
const SEED = 20_261_202;

test(`after a failover that loses 1.5 s, every record is there, and a revoked key stays revoked (seed ${SEED})`, {
  timeout: 900_000,
}, async () => {
  const postgres = await startReplicatedPostgres({ isSynchronous: false });
  try {
    const options = { database: toFailingDatabase(postgres), seed: SEED, nodeCount: NODES };
    await runFailover(options, async (failover) => {
      expect(failover.lostRecordIds.length).toBeGreaterThan(0);
      const figures = await readFailoverFigures(failover, { mayOverrun: true });
      expect(figures.wide.answered).toBeGreaterThan(0);
      expect(figures.tight.answered).toBeGreaterThan(0);
      expect(figures.lostEvents).toBeGreaterThan(0);
      expect(await readFailoverState(failover)).toEqual(expectedState);
    });
  } finally {
    await postgres.stop();
  }
});
