// `npm run sim -- --seeds 5000 --from 1 --steps 400`: runs the simulation of spend over many seeds.
// `--kind requests`: only requests that are held whole. `--kind limit-use`: part of a limit that 20 agents can use.
import { parseArgs } from "node:util";
import { measureLimitUse } from "./limit-use.ts";
import { MemoryStore } from "./memory-store.ts";
import { STREAM_TIMES, TIMES } from "./simulated-node.ts";
import { simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    kind: { type: "string", default: "streams" },
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "0" },
    steps: { type: "string", default: "250" },
    nodes: { type: "string", default: "1" },
    hold: { type: "string", default: "steps" },
  },
});
const from = Number(values.from);
const until = from + Number(values.seeds);
const steps = Number(values.steps);

/** Runs one seed, and returns its counts. */
async function runSeed(seed: number): Promise<Iterable<[string, unknown]>> {
  if (values.kind === "limit-use") {
    const nodes = Number(values.nodes);
    const hold = values.hold === "whole" ? "whole" : "steps";
    const options = { seed, nodes, agents: 20, limitNanoUsd: 10_000_000_000n, hold } as const;
    return Object.entries(await measureLimitUse(options));
  }
  const hasStreams = values.kind === "streams";
  const makeStore = () => new MemoryStore(hasStreams ? STREAM_TIMES : TIMES);
  return Object.entries(await simulate({ seed, steps, hasStreams, makeStore }));
}

const sums: Record<string, number> = {};
const startedMs = performance.now();
for (let seed = from; seed < until; seed++) {
  for (const [name, value] of await runSeed(seed)) {
    const isCount = typeof value === "number" || typeof value === "bigint";
    if (isCount) sums[name] = (sums[name] ?? 0) + Number(value);
  }
  if (seed % 1_000 === 999) process.stderr.write(`${seed + 1 - from} seeds\n`);
}
const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
process.stdout.write(`${JSON.stringify({ seeds: until - from, steps, seconds, ...sums })}\n`);
