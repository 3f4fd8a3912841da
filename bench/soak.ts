// `npm run soak -- limits [rounds] [seed]`: a strict limit under kills, stops and crashes of PostgreSQL
// (limits-soak.ts).
// `npm run soak -- people [people] [seed]`: caps of people and groups while a node is killed (people-soak.ts).
// `npm run soak -- export [requests]`: exports of a million requests, in constant memory (export-soak.ts).
// `npm run soak -- http [cases] [seed]`: the readers of HTTP/1.1 beside node:http and undici (http-soak.ts).
// `npm run soak`: kills a server under load, twenty times on one data folder. After each restart, every request that
// reached the upstream must have exactly one record, and all sums must agree. The first fault ends it with exit code
// 1 and the seed that repeats it.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { type CrashRound, runCrashRounds } from "../server/test/harness/crash-rounds.ts";
import { root, stopAllServers } from "../server/test/harness/server-process.ts";

// Child processes are killed when this process exits. A signal alone does not run the exit handlers.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

if (process.argv[2] === "limits") {
  const { soakLimits } = await import("./limits-soak.ts");
  process.exit(await soakLimits(process.argv.slice(3)));
}

if (process.argv[2] === "people") {
  const { soakPeople } = await import("./people-soak.ts");
  process.exit(await soakPeople(process.argv.slice(3)));
}

if (process.argv[2] === "export") {
  const { soakExport } = await import("./export-soak.ts");
  process.exit(await soakExport(process.argv.slice(3)));
}

if (process.argv[2] === "http") {
  const { soakHttp } = await import("./http-soak.ts");
  process.exit(await soakHttp(process.argv.slice(3)));
}

const DEFAULT_ROUNDS = 20;
const CLIENTS = 32;

const [roundsText = String(DEFAULT_ROUNDS), seedText] = process.argv.slice(2);
const roundCount = Number(roundsText);
const seed = seedText === undefined ? Date.now() % 1_000_000 : Number(seedText);
if (!Number.isInteger(roundCount) || roundCount < 1 || !Number.isInteger(seed)) {
  console.error("usage: npm run soak -- [rounds] [seed]");
  process.exit(2);
}

try {
  console.log(`${roundCount} rounds, seed ${seed}`);
  const rounds = await runCrashRounds({
    rounds: roundCount,
    seed,
    clients: CLIENTS,
    onRound: ({ round, reached, answered, interrupted, recoveredMs }) =>
      console.log(
        `round ${round}: ${reached} requests, ${answered} answered, ${interrupted} interrupted, ` +
          `all recorded ${Math.round(recoveredMs)} ms after the restart`,
      ),
  });
  await report(rounds);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(`repeat with: npm run soak -- ${roundCount} ${seed}`);
  process.exitCode = 1;
} finally {
  await stopAllServers();
}

/** Writes a JSON file with every round. Prints the table row for bench/README.md. */
async function report(rounds: readonly CrashRound[]): Promise<void> {
  const sum = (pick: (round: CrashRound) => number) =>
    rounds.reduce((all, one) => all + pick(one), 0);
  const slowest = Math.max(...rounds.map(({ recoveredMs }) => recoveredMs));
  const date = new Date().toISOString().slice(0, 10);
  const summary = {
    date,
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`,
    node: process.version,
    seed,
    rounds: rounds.length,
    requests: sum(({ reached }) => reached),
    answered: sum(({ answered }) => answered),
    interrupted: sum(({ interrupted }) => interrupted),
    lost: 0,
    doubled: 0,
    slowestRecoveryMs: Math.round(slowest),
  };
  const folder = join(root, "bench", "results");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `soak-${date}.json`);
  await writeFile(file, `${JSON.stringify({ ...summary, each: rounds }, null, 2)}\n`);
  console.log(
    "\n| date | kills | requests that reached the upstream | answered | interrupted | lost | doubled | slowest recovery |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  console.log(
    `| ${date} | ${summary.rounds} | ${summary.requests} | ${summary.answered} | ${summary.interrupted} | 0 | 0 | ` +
      `${(slowest / 1000).toFixed(1)} s |`,
  );
  console.log(`\n${file}`);
}
