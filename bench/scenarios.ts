import type { LoadPlan } from "./load.ts";
import type { PromptOptions, StreamPacing } from "./prompts.ts";

/** Requests of one kind under one kind of load. */
export interface LoadScenario {
  kind: "load";
  /** Value of `--scenario`. */
  name: string;
  title: string;
  prompt: PromptOptions;
  load: FullLoad | FixedRate;
  /** The run begins after a long pause, without a warm-up. */
  isAfterQuiet: boolean;
  /** Number of API keys in turn, each with a strict limit. Null: one key. */
  limitedKeys: number | null;
}

/** As many requests as the target answers. Each connection sends one after the other. */
export interface FullLoad {
  kind: "full";
  connections: number;
}

/** Requests at fixed times, far below the capacity of any target. */
export interface FixedRate {
  kind: "rate";
  perSecond: number;
}

/** A measurement of a process that has just started. */
export interface StartScenario {
  kind: "start" | "cold" | "idle" | "slow streams";
  name: string;
}

export type Scenario = LoadScenario | StartScenario;

const JSON_CONNECTIONS = 64;
const STREAM_CONNECTIONS = 512;
const SMALL = 1_536;

const once = { kind: "load", isAfterQuiet: false, limitedKeys: null } as const;

function jsonAtFullLoad(name: string, title: string, bytes: number): LoadScenario {
  const load = { kind: "full", connections: JSON_CONNECTIONS } as const;
  return {
    ...once,
    name,
    title: `JSON ${title}, full load`,
    prompt: { bytes, stream: null },
    load,
  };
}

function jsonAtRate(perSecond: number) {
  return {
    ...once,
    prompt: { bytes: SMALL, stream: null },
    load: { kind: "rate", perSecond },
  } as const;
}

function stream(name: string, deltas: number, load: LoadScenario["load"]): LoadScenario {
  const rate = load.kind === "full" ? "full load" : `${load.perSecond}/s`;
  const title = `stream of ${deltas} deltas, ${rate}`;
  return {
    ...once,
    name,
    title,
    prompt: { bytes: SMALL, stream: { deltas, intervalMs: 10 } },
    load,
  };
}

export const loadScenarios: readonly LoadScenario[] = [
  jsonAtFullLoad("json-1.5k", "1.5 KB", SMALL),
  jsonAtFullLoad("json-20k", "20 KB", 20_480),
  jsonAtFullLoad("json-200k", "200 KB", 204_800),
  { ...jsonAtRate(1_000), name: "json-rate", title: "JSON 1.5 KB, 1,000/s" },
  {
    ...jsonAtRate(1_000),
    name: "json-quiet",
    title: "JSON 1.5 KB, 1,000/s after 30 s of quiet",
    isAfterQuiet: true,
  },
  {
    ...jsonAtRate(500),
    name: "limited-keys",
    title: "JSON 1.5 KB, 2,000 keys with limits, 500/s",
    limitedKeys: 2_000,
  },
  stream("stream-40", 40, { kind: "full", connections: STREAM_CONNECTIONS }),
  stream("stream-400", 400, { kind: "full", connections: STREAM_CONNECTIONS }),
  stream("stream-40-rate", 40, { kind: "rate", perSecond: 20 }),
  stream("stream-400-rate", 400, { kind: "rate", perSecond: 20 }),
];

const startScenarios: readonly StartScenario[] = [
  { kind: "start", name: "start" },
  { kind: "cold", name: "cold" },
  { kind: "idle", name: "idle" },
  { kind: "slow streams", name: "slow-streams" },
];

export const scenarios: readonly Scenario[] = [...startScenarios, ...loadScenarios];

/** Scenario of other benchmarks that need one load. */
export function getLoadScenario(name: string): LoadScenario {
  const found = loadScenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`scenarios.ts has no load ${name}`);
  return found;
}

export interface Durations {
  /** Warm-up of a target after its start. */
  startWarmUpMs: number;
  /** Warm-up before the first run of a scenario, and before its later runs. */
  firstWarmUpMs: number;
  warmUpMs: number;
  fixedRateMs: number;
  fullLoadMs: number;
  quietMs: number;
  coldMs: number;
  idleMs: number;
  /** Time in which a target with a database writes the last records of a run. */
  settleMs: number;
  /** One new process runs all scenarios of a started target, which saves starts. */
  sharesProcess: boolean;
  slowStreams: { count: number; openedPerSecond: number; pacing: StreamPacing };
  /** Highest numbers for a short run. Null: those of the scenario. */
  most: { connections: number; keys: number; intervalMs: number } | null;
}

export const defaultDurations: Durations = {
  startWarmUpMs: 4_000,
  firstWarmUpMs: 2_000,
  warmUpMs: 500,
  fixedRateMs: 8_000,
  fullLoadMs: 5_000,
  quietMs: 30_000,
  coldMs: 5_000,
  idleMs: 10_000,
  settleMs: 1_000,
  sharesProcess: false,
  slowStreams: { count: 2_000, openedPerSecond: 500, pacing: { deltas: 20, intervalMs: 500 } },
  most: null,
};

/** Short durations that show that everything works, without meaningful numbers. */
export const quickDurations: Durations = {
  startWarmUpMs: 200,
  firstWarmUpMs: 100,
  warmUpMs: 100,
  fixedRateMs: 300,
  fullLoadMs: 200,
  quietMs: 300,
  coldMs: 200,
  idleMs: 300,
  settleMs: 100,
  sharesProcess: true,
  slowStreams: { count: 100, openedPerSecond: 400, pacing: { deltas: 2, intervalMs: 250 } },
  most: { connections: 16, keys: 20, intervalMs: 1 },
};

const WARM_CONNECTIONS = 64; // more than any JSON scenario has in flight at its fixed rate

/** Prompt of a scenario, with the pace of a short run. */
export function choosePrompt({ prompt }: LoadScenario, { most }: Durations): PromptOptions {
  const { stream } = prompt;
  if (stream === null || most === null) return prompt;
  const intervalMs = Math.min(stream.intervalMs, most.intervalMs);
  return { ...prompt, stream: { ...stream, intervalMs } };
}

/** Load of a scenario. */
export function chooseMode({ load }: LoadScenario, durations: Durations): LoadPlan["mode"] {
  if (load.kind === "full") {
    return { ...closedLoop(load.connections, durations), durationMs: durations.fullLoadMs };
  }
  return {
    kind: "open",
    ratePerSecond: load.perSecond,
    count: Math.ceil((load.perSecond * durations.fixedRateMs) / 1_000),
    warmConnections: WARM_CONNECTIONS,
  };
}

/** Full load that warms a scenario up. Null without a warm-up. */
export function chooseWarmUp(
  { load, isAfterQuiet }: LoadScenario,
  { durations, isFirst }: { durations: Durations; isFirst: boolean },
): LoadPlan["mode"] | null {
  if (isAfterQuiet) return null;
  const durationMs = isFirst ? durations.firstWarmUpMs : durations.warmUpMs;
  const connections = load.kind === "full" ? load.connections : JSON_CONNECTIONS;
  return { ...closedLoop(connections, durations), durationMs };
}

/** Load of a target directly after its start. */
export function coldLoad(durations: Durations): { prompt: PromptOptions; mode: LoadPlan["mode"] } {
  const scenario = getLoadScenario("json-rate");
  const fixedRateMs = durations.coldMs;
  return { prompt: scenario.prompt, mode: chooseMode(scenario, { ...durations, fixedRateMs }) };
}

function closedLoop(connections: number, { most }: Durations) {
  return {
    kind: "closed",
    connections: Math.min(connections, most?.connections ?? connections),
  } as const;
}
