import { parseArgs } from "node:util";
import { peerNames } from "./peers/packages.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

/** Targets of a run without `--target`. */
const usualTargets = ["direct", "nginx", "bursar"] as const;
/** Both implementations of Bursar's HTTP, by the setting. */
const bursarTargets = ["bursar-sockets", "bursar-node"] as const;
/** All targets, in the order of the tables. */
export const targetNames = [...usualTargets, ...bursarTargets, ...peerNames] as const;
export type TargetName = (typeof targetNames)[number];

export interface BenchOptions {
  isQuick: boolean;
  targets: readonly TargetName[];
  scenarios: readonly Scenario[];
  turns: number;
  /** Cores of a target. */
  cores: number;
  /** Processes of Bursar and workers of nginx. */
  processes: number;
  /** True: the runs join those of the last command in the result file. */
  addsToLast: boolean;
}

const MOST_TURNS = 100;
const MOST_CORES = 64;

export const USAGE = `usage: npm run bench -- [options]

  --target NAME     one of ${targetNames.join(", ")}. May be repeated
  --scenario NAME   one of ${scenarios.map(({ name }) => name).join(", ")}. May be repeated
  --turns N         runs of each scenario, in turn with the other targets. Default: 3
  --cores N         cores of a target. Default: 1
  --processes N     processes of Bursar, workers of nginx. Default: 1
  --add             adds the runs to those of the last command, and prints both
  --quick           half a minute: only checks that all parts work`;

/** Parses the command line. Throws an Error whose message names the option. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: "string", multiple: true, default: [...usualTargets] },
      scenario: { type: "string", multiple: true, default: scenarios.map(({ name }) => name) },
      turns: { type: "string" },
      cores: { type: "string", default: "1" },
      processes: { type: "string", default: "1" },
      add: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
    },
  });
  const chosen = choose(
    "scenario",
    values.scenario,
    scenarios.map(({ name }) => name),
  );
  return {
    isQuick: values.quick,
    targets: choose("target", values.target, targetNames),
    scenarios: scenarios.filter(({ name }) => chosen.includes(name)),
    turns: parseCount("turns", values.turns ?? (values.quick ? "1" : "3"), MOST_TURNS),
    cores: parseCount("cores", values.cores, MOST_CORES),
    processes: parseCount("processes", values.processes, MOST_CORES),
    addsToLast: values.add,
  };
}

/** Chosen names in the usual order. */
function choose<Name extends string>(
  option: string,
  values: readonly string[],
  known: readonly Name[],
): Name[] {
  const unknown = values.find((value) => !known.some((name) => name === value));
  if (unknown !== undefined) throw new Error(`Unknown ${option}: ${unknown}.`);
  return known.filter((name) => values.includes(name));
}

function parseCount(option: string, value: string, most: number): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new Error(`--${option} is a number from 1 to ${most}.`);
  }
  return count;
}
