import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LimitRound, runLimitRounds } from "../server/test/harness/limit-rounds.ts";
import { root, stopAllServers } from "../server/test/harness/server-process.ts";

const DEFAULT_ROUNDS = 50;
const LOAD = { clients: 200, limitUsd: 1 };

/** Prints each round and the table row for bench/README.md. Returns the exit code. */
export async function soakLimits(args: readonly string[]): Promise<number> {
  const [roundsText = String(DEFAULT_ROUNDS), seedText] = args;
  const rounds = Number(roundsText);
  const seed = seedText === undefined ? Date.now() % 1_000_000 : Number(seedText);
  if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
    console.error("usage: npm run soak -- limits [rounds] [seed]");
    return 2;
  }
  console.log(`${rounds} rounds, seed ${seed}`);
  try {
    await report(seed, await runLimitRounds({ rounds, seed, ...LOAD, onRound: print }));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error : String(error));
    console.error(`repeat with: npm run soak -- limits ${rounds} ${seed}`);
    return 1;
  } finally {
    await stopAllServers();
  }
}

function print(round: LimitRound): void {
  const usd = (nanoUsd: bigint) => `$${(Number(nanoUsd) / 1e9).toFixed(4)}`;
  console.log(
    `round ${round.round}: ${round.reached} reached the upstream, ${round.answered} answered, ${round.aborted} aborted, ` +
      `${round.interrupted} interrupted; settled ${usd(round.settledNanoUsd)}, unresolved ${usd(round.unresolvedNanoUsd)}, ` +
      `billed ${usd(round.billedNanoUsd)}; refused ${JSON.stringify(round.refusals)}; ` +
      `all nodes serve after ${Math.round(round.recoveredMs)} ms`,
  );
}

async function report(seed: number, rounds: readonly LimitRound[]): Promise<void> {
  const sum = (pick: (round: LimitRound) => number) =>
    rounds.reduce((all, one) => all + pick(one), 0);
  const most = Math.max(...rounds.map(({ billedNanoUsd }) => Number(billedNanoUsd)));
  const slowestMs = Math.max(...rounds.map(({ recoveredMs }) => recoveredMs));
  const date = new Date().toISOString().slice(0, 10);
  const folder = join(root, "bench", "results");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `soak-limits-${date}.json`);
  const text = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  await writeFile(file, `${JSON.stringify({ date, seed, rounds }, text, 2)}\n`);
  console.log(
    "\n| date | rounds | reached the upstream | answered | interrupted | most billed of $1 | over the limit | slowest recovery |\n" +
      "|---|---|---|---|---|---|---|---|\n" +
      `| ${date} | ${rounds.length} | ${sum(({ reached }) => reached)} | ${sum(({ answered }) => answered)} | ` +
      `${sum(({ interrupted }) => interrupted)} | $${(most / 1e9).toFixed(9)} | 0 | ${(slowestMs / 1000).toFixed(1)} s |\n\n${file}`,
  );
}
