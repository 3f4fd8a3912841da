import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../server/src/lib/clock.ts";
import { makeLogger } from "../server/src/lib/logger.ts";
import { openJournal } from "../server/src/recording/journal.ts";
import { makeBegin, makeEnding } from "./journal-requests.ts";

// Writes requests to a journal on disk: `node bench/journal.ts [requests] [per turn]`. Prints the CPU time of the thread and
// the bytes of one request.

const [requests = 100_000, perTurn = 10] = process.argv.slice(2).map(Number);
const ROUNDS = 5;
const timesUs: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  const logger = makeLogger("silent");
  const journal = openJournal({ directory, nodeId: "node_1", clock: systemClock, logger });
  await journal.start({ flushedSeq: 0, onUnflushedEnd: () => undefined });
  const started = process.threadCpuUsage();
  for (let from = 0; from < requests; from += perTurn) {
    const begins = Array.from({ length: perTurn }, (_, at) => makeBegin(from + at));
    await Promise.all(begins.map((record) => journal.beginWritten(record)));
    // These are written with the begins of the next turn.
    for (const [at, record] of begins.entries())
      journal.end({ ...record, ...makeEnding(from + at) });
  }
  const { user, system } = process.threadCpuUsage(started);
  timesUs.push((user + system) / requests);
  await journal.close();
  const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
  const bytes = sizes.reduce((total, size) => total + size, 0);
  console.log(`${timesUs.at(-1)?.toFixed(1)} us, ${Math.round(bytes / requests)} bytes a request`);
  rmSync(directory, { recursive: true });
}
timesUs.sort((a, b) => a - b);
console.log(`least ${timesUs[0]?.toFixed(1)} us, median ${timesUs[ROUNDS >> 1]?.toFixed(1)} us`);
