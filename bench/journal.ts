import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../server/src/lib/clock.ts";
import { makeLogger } from "../server/src/lib/logger.ts";
import { openJournal } from "../server/src/recording/journal.ts";

// Writes requests to a journal on disk: `node bench/journal.ts [requests] [per turn]`. Prints the CPU time of the thread and
// the bytes of one request.

const [requests = 100_000, perTurn = 10] = process.argv.slice(2).map(Number);
const ROUNDS = 5;
const id = (prefix: string, number: number) => `${prefix}_${String(number).padStart(24, "0")}`;
const prices = JSON.stringify({
  list: "2026-10-24",
  rows: [{ model: "claude-opus-4-5" }],
  more: "x".repeat(250),
});

const begin = (number: number) => ({
  requestId: id("req", number),
  startedAtMs: 1_795_777_159_917 + number,
  organizationId: "6c6cd838-680b-4a43-b4d1-bb68ffe67f2b",
  workspaceId: id("wksp", number % 10),
  apiKeyId: id("apikey", number % 100),
  memberId: id("user", number % 100),
  requestedModel: "claude-opus-4-5",
  isStream: true,
  client: "claude_code",
  holdNanoUsd: 1_016_500_000n,
});

const ending = (number: number) => ({
  endedAtMs: 1_795_777_161_918 + number,
  outcome: "answered" as const,
  httpStatus: 200,
  isEstimated: false,
  isUnpriced: false,
  model: "claude-opus-4-5-20251101",
  serviceTier: "standard",
  contextWindow: "0-200k" as const,
  inferenceGeo: "not_available",
  speed: "standard",
  usage: {
    inputTokens: 912,
    cacheWrite5mTokens: 1_204,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 48_123,
    outputTokens: number % 4_096,
    webSearches: 0,
  },
  cost: {
    input: 4_560_000n,
    cacheWrite5m: 7_525_000n,
    cacheWrite1h: 0n,
    cacheRead: 24_061_500n,
    output: 15_700_000n,
    webSearch: 0n,
    total: 51_846_500n,
  },
  prices,
  upstreamRequestId: id("req", number),
  firstByteMs: 312,
});

const timesUs: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  const logger = makeLogger("silent");
  const journal = openJournal({ directory, nodeId: "node_1", clock: systemClock, logger });
  await journal.start({ flushedSeq: 0, onUnflushedEnd: () => undefined });
  const started = process.threadCpuUsage();
  for (let from = 0; from < requests; from += perTurn) {
    const begins = Array.from({ length: perTurn }, (_, at) => begin(from + at));
    for (const record of begins) journal.begin(record);
    for (const [at, record] of begins.entries()) journal.end({ ...record, ...ending(from + at) });
    await new Promise((resolve) => setImmediate(resolve));
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
