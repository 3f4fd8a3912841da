// `node bench/step-faults.ts [--rounds 10] [--limit 5] [--clients 200] [--hold steps] [--max-tokens 128000] [--seed 1]`: streams under one strict limit
// on four nodes with one PostgreSQL. In each round one node is stopped: until it is fenced, longer, or shorter than its lease. In
// every second round another node gets `kill -9` at the same moment. Each round has a new limit, and ends once it is spent. The long
// stop is under a fifth of the limit, so that its streams exceed it. Exits with 1 if the figures are not those that the rules allow
// (`agents/check-faults.ts`), or if no long stop caused an overrun.
import { parseArgs } from "node:util";
import { stopAllServers } from "../server/test/harness/server-process.ts";
import { checkFaults, type FaultFigures, type OverrunFiring } from "./agents/check-faults.ts";
import { runFaultRounds } from "./agents/fault-rounds.ts";
import { printTable, showUsd } from "./agents/report-run.ts";

process.exit(await main());

async function main(): Promise<number> {
  // Child processes are killed when this process exits. A signal alone does not run the exit handlers.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "10" },
      limit: { type: "string", default: "5" },
      clients: { type: "string", default: "200" },
      hold: { type: "string", default: "steps" },
      "max-tokens": { type: "string", default: "128000" },
      seed: { type: "string", default: "1" },
    },
  });
  const { hold } = values;
  if (hold !== "steps" && hold !== "whole" && hold !== "default") {
    throw new Error("--hold is steps, whole or default");
  }
  const faults: string[] = [];
  const rounds: FaultFigures[] = [];
  try {
    const options = {
      rounds: Number(values.rounds),
      limit: { limitUsd: Number(values.limit), hold: hold === "default" ? null : hold } as const,
      clients: Number(values.clients),
      maxTokens: Number(values["max-tokens"]),
      seed: Number(values.seed),
    };
    for await (const round of runFaultRounds(options)) {
      rounds.push(round);
      const found = checkFaults(round);
      faults.push(...found.map((fault) => `round ${round.round}: ${fault}`));
      printTable([{ name: `round ${round.round}`, rows: describe(round) }]);
      if (found.length > 0) console.log(found.join("\n"));
    }
  } finally {
    await stopAllServers();
  }
  printTable(rounds.map((round) => ({ name: `round ${round.round}`, rows: describe(round) })));
  const longStops = rounds.filter(({ hasLongStop }) => hasLongStop);
  if (longStops.length > 0 && longStops.every(({ overrunNanoUsd }) => overrunNanoUsd === 0n)) {
    faults.push("no long stop caused an overrun, so no alert was checked");
  }
  console.log(faults.length === 0 ? "\nall as the rules allow" : `\n${faults.join("\n")}`);
  return faults.length === 0 ? 0 : 1;
}

function describe(figures: FaultFigures): [string, string][] {
  const { streams } = figures;
  const count = (fate: string) => streams.filter((one) => one.fate === fate).length;
  return [
    ["time", `${Math.round(figures.seconds)} s`],
    ["a node was stopped for", `${(figures.stoppedMs / 1_000).toFixed(1)} s`],
    ["fenced", figures.isFenced ? "yes" : "no"],
    ["streams", String(streams.length)],
    ["on the killed node", String(count("killed"))],
    ["on the stopped node", String(count("stopped"))],
    ["cut", String(streams.filter(({ isCut }) => isCut).length)],
    ["billed", showUsd(figures.billedNanoUsd)],
    ["recorded", showUsd(figures.settledNanoUsd)],
    ["unresolved", showUsd(figures.unresolvedNanoUsd)],
    ["beyond holds", showUsd(figures.beyondHoldsNanoUsd)],
    ["overrun", showUsd(figures.overrunNanoUsd)],
    ["alerts of it", describeFirings(figures.firings)],
    ["billed after a cut", showUsd(figures.billedAfterCutNanoUsd)],
    ["refused", figures.refusals],
  ];
}

/** Number of named requests in each alert, by cause. */
function describeFirings(firings: readonly OverrunFiring[]): string {
  if (firings.length === 0) return "0";
  const described = firings.map(({ requests }) => {
    const causes = Map.groupBy(requests, ({ cause }) => cause);
    return [...causes].map(([cause, named]) => `${named.length} × ${cause}`).join(" + ");
  });
  return `${firings.length}: ${described.join(", ")}`;
}
