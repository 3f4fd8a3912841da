// `npm run sim -- --seeds 5000 --from 1 --steps 400`: runs the simulation of spend over many seeds, on two processes.
// `--kind requests`: only requests that are held whole. `--kind limit-use`: part of a limit that 20 agents can use.
import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import { measureLimitUse } from "./limit-use.ts";
import { MemoryStore } from "./memory-store.ts";
import { addRun, countFaults, mergeSums, newSums, type RunSums } from "./run-sums.ts";
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
    processes: { type: "string", default: "2" },
    /** Position of a child among the processes. Each takes every n-th seed. */
    part: { type: "string" },
  },
});
const from = Number(values.from);
const until = from + Number(values.seeds);
const steps = Number(values.steps);
const processes = Math.max(1, Number(values.processes));
/** Seeds between two lines about the progress. */
const PROGRESS_SEEDS = 500;

/** Runs one seed, and returns its counts. */
async function runSeed(seed: number): Promise<object> {
  if (values.kind === "limit-use") {
    const nodes = Number(values.nodes);
    const hold = values.hold === "whole" ? "whole" : "steps";
    return await measureLimitUse({ seed, nodes, agents: 20, limitNanoUsd: 10_000_000_000n, hold });
  }
  const hasStreams = values.kind === "streams";
  const makeStore = () => new MemoryStore(hasStreams ? STREAM_TIMES : TIMES);
  return await simulate({ seed, steps, hasStreams, makeStore });
}

/** Runs each seed of one part. A failed seed ends no other. */
async function runPart(part: number): Promise<RunSums> {
  const sums = newSums();
  for (let seed = from + part; seed < until; seed += processes) {
    try {
      addRun(sums, seed, await runSeed(seed));
    } catch (error) {
      sums.failures.push(error instanceof Error ? error.message : String(error));
    }
    if (part === 0 && (seed - from + processes) % PROGRESS_SEEDS < processes) {
      process.stderr.write(`about ${seed - from + processes} seeds\n`);
    }
  }
  return sums;
}

function runChild(part: number): Promise<RunSums> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), "--part", String(part)]);
  return new Promise((resolve, reject) => {
    child.on("message", (sums) => resolve(sums as RunSums));
    child.on("exit", (code) =>
      reject(new Error(`a process of the simulation exited with ${code}`)),
    );
  });
}

async function runAll(): Promise<void> {
  const startedMs = performance.now();
  const parts = Array.from({ length: processes }, (_, part) => part);
  const all = await Promise.all(processes === 1 ? [runPart(0)] : parts.map(runChild));
  const { failures, unfairSeeds, counts } = mergeSums(all);
  const elapsedSeconds = Math.round((performance.now() - startedMs) / 100) / 10;
  const facts = { seeds: until - from, from, steps, elapsedSeconds, failed: failures.length };
  const faults = countFaults(counts);
  process.stdout.write(`${JSON.stringify({ ...facts, faults, ...counts, unfairSeeds })}\n`);
  if (failures.length === 0) return;
  process.stderr.write(`${failures.join("\n")}\n`);
  process.exitCode = 1;
}

/** Sends the sums to the parent, and ends. */
async function reportPart(part: number): Promise<void> {
  const sums = await runPart(part);
  process.send?.(sums);
  process.disconnect?.();
}

if (values.part === undefined) await runAll();
else await reportPart(Number(values.part));
