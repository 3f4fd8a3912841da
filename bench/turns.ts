import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pinProcesses } from "./cores.ts";
import { type Bench, type Measured, measure, measureScenario, planFor } from "./measure.ts";
import {
  type Durations,
  getLoadScenario,
  type LoadScenario,
  type Scenario,
  type StartScenario,
} from "./scenarios.ts";
import { measureStarted, type StartResult, type StartScenarioResult } from "./starts.ts";
import type { StartOptions, Target } from "./targets/target.ts";

/** A target that can be started. */
export interface Launcher {
  name: string;
  start(options: StartOptions): Promise<Target>;
  /** Measures all kinds of start. Null: one start is all there is. */
  measureStarts: ((options: StartOptions) => Promise<StartResult["readyMs"]>) | null;
  /** True: its processes run all the time, and other scenarios than loads at a fixed rate say nothing. */
  isBaseline: boolean;
}

/** Result of one scenario against one target in one turn. */
export type Run = { target: string; scenario: string; turn: number } & (
  | { kind: "load"; measured: Measured }
  | StartScenarioResult
);

export interface TurnsSetup {
  bench: Omit<Bench, "onAnswers">;
  launchers: readonly Launcher[];
  scenarios: readonly Scenario[];
  turns: number;
  /** Empty folder for the files of the targets. */
  folder: string;
  startOptions: Omit<StartOptions, "folder">;
  /** Null: processes are not pinned. */
  cores: { target: readonly number[]; rest: readonly number[] } | null;
  onRun(run: Run): void;
  onProblem(problem: string): void;
  /** Receives the reason for what the tables leave out. */
  onNote(note: string): void;
  onStarted(target: Target): void;
}

const RECORDED_WITHIN_MS = 10_000;
const RECORDED_POLL_MS = 100;
const WARM_UP_CONNECTIONS = 64;

/** Runs all scenarios in turns. First those of new processes, then those of targets that keep running. */
export async function runTurns(setup: TurnsSetup): Promise<void> {
  const loads = setup.scenarios.filter((scenario) => scenario.kind === "load");
  const starts = setup.scenarios.filter((scenario) => scenario.kind !== "load");
  const groups = groupByProcess(starts, setup.bench.durations);
  const started = setup.launchers.filter(({ isBaseline }) => !isBaseline);
  for (let turn = 1; turn <= setup.turns; turn++) {
    for (const scenarios of groups) {
      for (const launcher of orderFor(turn, started)) {
        const names = scenarios.map(({ name }) => name).join(", ");
        console.error(`> turn ${turn}: ${names}, ${launcher.name}`);
        await withoutFailure(setup, launcher.name, () =>
          runStartScenarios(setup, { launcher, scenarios, turn }),
        );
      }
    }
  }
  if (loads.length > 0) await runLoads(setup, loads);
}

/** Scenarios that one new process can run. An idle process is also fit for slow streams. */
export function groupByProcess(
  scenarios: readonly StartScenario[],
  { sharesProcess }: Durations,
): StartScenario[][] {
  const groups = Map.groupBy(scenarios, ({ kind }) => {
    if (kind === "start" || (kind === "cold" && !sharesProcess)) return kind;
    return "idle";
  });
  return [...groups.values()];
}

/** The order changes with each turn, so that no target always follows the same one. */
export function orderFor<Item>(turn: number, items: readonly Item[]): readonly Item[] {
  return turn % 2 === 1 ? items : items.toReversed();
}

async function runStartScenarios(
  setup: TurnsSetup,
  run: { launcher: Launcher; scenarios: readonly StartScenario[]; turn: number },
): Promise<void> {
  const { launcher, scenarios, turn } = run;
  const { name: target } = launcher;
  const [first] = scenarios;
  if (first?.kind === "start" && launcher.measureStarts !== null) {
    const readyMs = await launcher.measureStarts(makeStartOptions(setup, launcher));
    setup.onRun({ target, scenario: first.name, turn, kind: "start", readyMs });
    return;
  }
  const running = await startTarget(setup, launcher);
  try {
    for (const { kind, name } of scenarios) {
      const result = await measureStarted(running.bench, running.target, kind);
      setup.onRun({ target, scenario: name, turn, ...result });
    }
    await reportProblems(setup, running);
  } finally {
    await stopTarget(running.target);
  }
}

/** A target that serves, and the number of its answers. */
interface Running {
  target: Target;
  bench: Bench;
  apiKeys: readonly string[] | null;
  /** Answers per second to JSON of 1.5 KB at full load, from the warm-up. */
  capacity: number;
  answered: () => number;
}

async function startTarget(setup: TurnsSetup, launcher: Launcher): Promise<Running> {
  const target = await launcher.start(makeStartOptions(setup, launcher));
  if (setup.cores && !launcher.isBaseline) {
    pinProcesses(target.pids, setup.cores.target);
    pinProcesses(target.database?.pids() ?? [], setup.cores.rest);
  }
  setup.onStarted(target);
  let answered = 0;
  const onAnswers = (count: number) => {
    answered += count;
  };
  const bench = { ...setup.bench, onAnswers };
  return { target, bench, apiKeys: null, capacity: 0, answered: () => answered };
}

let startedTargets = 0;

function makeStartOptions({ folder, startOptions }: TurnsSetup, { name }: Launcher): StartOptions {
  const own = join(folder, `${name}-${startedTargets++}`);
  mkdirSync(own);
  return { ...startOptions, folder: own };
}

async function stopTarget(target: Target): Promise<void> {
  await target.database?.close();
  await target.stop();
}

/** Starts all targets, and runs each scenario against one after the other, turn by turn. */
async function runLoads(setup: TurnsSetup, loads: readonly LoadScenario[]): Promise<void> {
  const all: Running[] = [];
  try {
    for (const launcher of setup.launchers) {
      console.error(`> ${launcher.name}: starting`);
      await withoutFailure(setup, launcher.name, async () => {
        all.push(await prepareForLoads(setup, launcher, loads));
      });
    }
    for (let turn = 1; turn <= setup.turns; turn++) {
      for (const scenario of loads) await runLoad(setup, { scenario, turn, all });
    }
    for (const running of all) await reportProblems(setup, running);
  } finally {
    await Promise.all(all.map(({ target }) => stopTarget(target)));
  }
}

async function prepareForLoads(
  setup: TurnsSetup,
  launcher: Launcher,
  loads: readonly LoadScenario[],
): Promise<Running> {
  const running = await startTarget(setup, launcher);
  const { target, bench } = running;
  const keys = Math.max(0, ...loads.map(({ limitedKeys }) => limitedKeys ?? 0));
  try {
    const { load } = await measure(bench, target, {
      ...planFor(target, getLoadScenario("json-1.5k").prompt),
      mode: {
        kind: "closed",
        connections: WARM_UP_CONNECTIONS,
        durationMs: bench.durations.startWarmUpMs,
      },
    });
    const warm = { ...running, capacity: load.answersPerSecond };
    if (keys === 0 || target.createLimitedKeys === null) return warm;
    const count = Math.min(keys, bench.durations.most?.keys ?? keys);
    return { ...warm, apiKeys: await target.createLimitedKeys(count) };
  } catch (error) {
    await stopTarget(target);
    throw error;
  }
}

async function runLoad(
  setup: TurnsSetup,
  run: { scenario: LoadScenario; turn: number; all: readonly Running[] },
): Promise<void> {
  const { scenario, turn, all } = run;
  const fitting = all.filter(({ target }) => target.name !== "direct" || isForBaseline(scenario));
  if (scenario.isAfterQuiet) await waitInQuiet(turn, setup.bench.durations);
  for (const { target, bench, apiKeys, capacity } of orderFor(turn, fitting)) {
    // A short run sends too few requests to matter.
    if (bench.durations.most === null && isTooFast(scenario, capacity)) {
      setup.onNote(
        `${target.name} answers ${Math.floor(capacity)}/s, so ${scenario.name} is left out.`,
      );
      continue;
    }
    console.error(`> turn ${turn}: ${scenario.name}, ${target.name}`);
    await withoutFailure(setup, target.name, async () => {
      const keys = scenario.limitedKeys === null ? null : apiKeys;
      const measured = await measureScenario(bench, target, {
        scenario,
        isFirst: turn === 1,
        ...(keys && { apiKeys: keys }),
      });
      const about = { target: target.name, scenario: scenario.name, turn };
      setup.onRun({ ...about, kind: "load", measured });
    });
  }
}

/** Latency of the mock upstream counts at a fixed rate only. */
function isForBaseline({ load }: LoadScenario): boolean {
  return load.kind === "rate";
}

/** True for a rate of JSON that the target cannot serve. Its requests would only wait, and time out. */
export function isTooFast({ load, prompt }: LoadScenario, capacity: number): boolean {
  return load.kind === "rate" && prompt.stream === null && load.perSecond > capacity;
}

/** No target gets a request in this time. A later one in the turn has an even longer pause. */
async function waitInQuiet(turn: number, { quietMs }: Durations): Promise<void> {
  console.error(`> turn ${turn}: ${quietMs / 1_000} s without requests`);
  await sleep(quietMs);
}

/** Reports a failure as a problem of the target, and continues with the others. */
async function withoutFailure(
  { onProblem }: TurnsSetup,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    onProblem(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Reports answers without a record. */
async function reportProblems(
  { onProblem }: TurnsSetup,
  { target, answered }: Running,
): Promise<void> {
  if (!target.countRecorded) return;
  const giveUpAt = Date.now() + RECORDED_WITHIN_MS;
  let recorded = await target.countRecorded();
  while (recorded < answered() && Date.now() < giveUpAt) {
    await sleep(RECORDED_POLL_MS);
    recorded = await target.countRecorded();
  }
  console.error(`> ${target.name}: ${recorded} requests recorded, ${answered()} answered`);
  if (recorded === answered()) return;
  onProblem(`${target.name}: ${answered()} answers, but ${recorded} records`);
}
