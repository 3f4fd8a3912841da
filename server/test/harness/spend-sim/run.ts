// `npm run sim -- --seeds 100000 --from 1 --steps 400`: runs the simulation of spend over many seeds.
import { parseArgs } from "node:util";
import { MemoryStore } from "./memory-store.ts";
import { TIMES } from "./simulated-node.ts";
import { type SimulationResult, simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "0" },
    steps: { type: "string", default: "250" },
  },
});
const from = Number(values.from);
const until = from + Number(values.seeds);
const steps = Number(values.steps);
const sums: Record<string, number> = {};
const startedMs = performance.now();
for (let seed = from; seed < until; seed++) {
  const result: SimulationResult = await simulate({
    seed,
    steps,
    makeStore: () => new MemoryStore(TIMES),
  });
  for (const [name, value] of Object.entries(result)) {
    if (typeof value === "number") sums[name] = (sums[name] ?? 0) + value;
  }
  if (seed % 1_000 === 999) process.stderr.write(`${seed + 1 - from} seeds\n`);
}
const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
process.stdout.write(`${JSON.stringify({ seeds: until - from, steps, seconds, ...sums })}\n`);
