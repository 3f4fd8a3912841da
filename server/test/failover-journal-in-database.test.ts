import { afterAll, expect, test } from "vitest";
import {
  expectedState,
  readFailoverFigures,
  readFailoverState,
} from "#test/harness/failover-facts.ts";
import { runFailover, toFailingDatabase } from "#test/harness/failover-run.ts";
import { startReplicatedPostgres } from "#test/harness/replicated-postgres.ts";
import { stopAllServers } from "#test/harness/server-process.ts";

// BURSAR_JOURNAL=postgres: the standby also lacks the last rows of all journals.

afterAll(stopAllServers);

const NODES = 3;
const SEED = 20_261_203;

test(`after a failover that loses 1.5 s of journals in the database, only records of the killed node can be missing (seed ${SEED})`, {
  timeout: 900_000,
}, async () => {
  const postgres = await startReplicatedPostgres({ isSynchronous: false });
  try {
    const options = {
      database: toFailingDatabase(postgres),
      seed: SEED,
      nodeCount: NODES,
      env: { BURSAR_JOURNAL: "postgres" },
    };
    await runFailover(options, async (failover) => {
      const figures = await readFailoverFigures(failover, {
        mayOverrun: true,
        isJournalInDatabase: true,
      });
      expect(figures.wide.answered).toBeGreaterThan(0);
      expect(figures.tight.answered).toBeGreaterThan(0);
      // New requests are refused while PostgreSQL is away.
      expect(await readFailoverState(failover)).toMatchObject({
        ...expectedState,
        refused: expect.any(Object),
        notReady: expect.any(Object),
      });
    });
  } finally {
    await postgres.stop();
  }
});
