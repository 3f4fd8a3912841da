// A program for tests of the embedded PostgreSQL: `node postgres-process.ts <data folder>`. The program starts and
// stops the database as the server does, and prints one JSON line for each event. The test decides how the program
// ends.
import { startEmbeddedPostgres } from "#src/db/embedded-postgres.ts";
import { acquireProcessLock } from "#src/lib/process-lock.ts";
import { TEST_MEMORY_BYTES } from "./prepared-database.ts";

const [dataDir] = process.argv.slice(2);

function printEvent(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

try {
  const lock = await acquireProcessLock(dataDir ?? "");
  const postgres = await startEmbeddedPostgres({
    lock,
    memoryBytes: TEST_MEMORY_BYTES,
    onEvent: printEvent,
  });
  const stop = async (signal: string) => {
    await postgres.stop();
    await lock.release();
    printEvent({ kind: "stopped", signal });
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  printEvent({ kind: "ready", pid: postgres.pid, connectionString: postgres.connectionString });
} catch (error) {
  printEvent({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
