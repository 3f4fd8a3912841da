import { setTimeout as sleep } from "node:timers/promises";
import type { ScriptProcess } from "./children.ts";
import type { LoadPlan, LoadReport } from "./load.ts";
import { monotonicMs } from "./monotonic.ts";
import { cpuMicrosOf } from "./proc.ts";
import { messagesBody, type PromptOptions } from "./prompts.ts";
import {
  chooseMode,
  choosePrompt,
  chooseWarmUp,
  type Durations,
  type LoadScenario,
} from "./scenarios.ts";
import type { Target } from "./targets/target.ts";

export interface Measured {
  load: LoadReport;
  /** CPU time of the target's processes per response, microseconds. */
  cpuMicros: number;
  /** CPU time of its PostgreSQL, which works in batches. Includes those after the run. */
  databaseCpuMicros: number | null;
  databaseTransactions: number | null;
  /** Share of one core that the target used during the run: 1 is all of it. */
  busyShare: number;
}

export interface Bench {
  load: ScriptProcess;
  durations: Durations;
  /** Reports responses that the target should have recorded. */
  onAnswers(count: number): void;
}

const SETTLED_WITHIN_MS = 10_000;
const SETTLED_SAMPLE_MS = 200;
const SETTLED_SHARE = 0.05; // above what an idle target uses

/** Measures one scenario against one target, after a warm-up. */
export async function measureScenario(
  bench: Bench,
  target: Target,
  run: { scenario: LoadScenario; isFirst: boolean; apiKeys?: readonly string[] },
): Promise<Measured> {
  const { scenario, isFirst, apiKeys } = run;
  const { durations } = bench;
  const plan = {
    ...planFor(target, choosePrompt(scenario, durations)),
    ...(apiKeys && { apiKeys }),
  };
  const warmUp = chooseWarmUp(scenario, { durations, isFirst });
  if (warmUp) await measure(bench, target, { ...plan, mode: warmUp });
  return await measure(bench, target, { ...plan, mode: chooseMode(scenario, durations) });
}

/** Runs one load against an idle target, then waits until it is idle again. Throws if the target answers nothing. */
export async function measure(bench: Bench, target: Target, plan: LoadPlan): Promise<Measured> {
  const { pids } = target;
  const databaseBefore = await readDatabase(target);
  const [fromMs, fromMicros] = [monotonicMs(), cpuMicrosOf(pids)];
  const load = await bench.load.ask<LoadReport>(plan);
  const busyMicros = cpuMicrosOf(pids) - fromMicros;
  const busyMs = monotonicMs() - fromMs;
  await waitUntilIdle(target, bench.durations);
  const databaseAfter = await readDatabase(target);
  bench.onAnswers(load.answered);
  if (load.answered === 0) {
    throw new Error(`${target.name} answered nothing: ${JSON.stringify(load.errors)}`);
  }
  const perAnswer = (pick: (counters: DatabaseCounters) => number) =>
    databaseBefore && databaseAfter && (pick(databaseAfter) - pick(databaseBefore)) / load.answered;
  return {
    load,
    cpuMicros: busyMicros / load.answered,
    databaseCpuMicros: perAnswer(({ cpuMicros }) => cpuMicros),
    databaseTransactions: perAnswer(({ transactions }) => transactions),
    busyShare: busyMicros / (busyMs * 1_000),
  };
}

/** Waits until the target has written its last records. Continues after a bounded time. */
export async function waitUntilIdle(
  { pids, database }: Target,
  { settleMs }: Durations,
): Promise<void> {
  const giveUpMs = monotonicMs() + SETTLED_WITHIN_MS;
  if (database) await sleep(settleMs);
  for (;;) {
    const [fromMs, fromMicros] = [monotonicMs(), cpuMicrosOf(pids)];
    await sleep(Math.min(settleMs, SETTLED_SAMPLE_MS));
    const atMs = monotonicMs();
    const share = (cpuMicrosOf(pids) - fromMicros) / ((atMs - fromMs) * 1_000);
    if (share < SETTLED_SHARE || atMs > giveUpMs) return;
  }
}

interface DatabaseCounters {
  cpuMicros: number;
  transactions: number;
}

async function readDatabase({ database }: Target): Promise<DatabaseCounters | null> {
  return (
    database && {
      cpuMicros: database.cpuMicros(),
      transactions: await database.countTransactions(),
    }
  );
}

/** Load of JSON or stream requests with one prompt, with the target's key. */
export function planFor(target: Target, prompt: PromptOptions): Omit<LoadPlan, "mode"> {
  return {
    port: target.port,
    path: target.path ?? "/v1/messages",
    // Headers of the official SDKs, which a proxy must read.
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": "Anthropic/JS 1.14.0",
      "anthropic-version": "2023-06-01",
      "x-stainless-lang": "js",
      "x-stainless-os": "Linux",
      "x-stainless-arch": "x64",
      "x-stainless-runtime": "node",
      "x-stainless-runtime-version": process.version,
      "x-stainless-retry-count": "0",
      "x-stainless-timeout": "600",
      ...target.headers,
    },
    body: messagesBody(prompt),
  };
}
