import type { Measured } from "./measure.ts";
import type { Run } from "./turns.ts";

export interface BenchResults {
  date: string;
  /** True with `--quick`, whose numbers mean nothing. */
  isQuick: boolean;
  machine: { cpu: string; cores: number; memoryBytes: number; system: string };
  /** Versions by program. */
  versions: Record<string, string>;
  /** Description of the core split. */
  cores: string;
  runs: Run[];
  /** Reasons for what the tables leave out. */
  notes: string[];
  /** Faults that make the numbers invalid. Empty for a valid run. */
  problems: string[];
}

/** A run of requests. A cold one begins directly after the start. */
export type LoadRun = Run & { measured: Measured };

/** Bodies of these targets must have the same length. Gateways may change a body. */
const REFERENCE = ["direct", "nginx"];
const CHECKED = ["nginx", "bursar", "bursar-sockets", "bursar-node"];

export function isLoadRun(run: Run): run is LoadRun {
  return run.kind === "load" || run.kind === "cold";
}

/** Lists runs whose requests failed, and targets that changed a body. */
export function findRunProblems(runs: readonly Run[]): string[] {
  const failed = runs.flatMap((run) => {
    const errors = findLoad(run)?.errors ?? {};
    return Object.keys(errors).length === 0
      ? []
      : [`${run.target}: requests of "${run.scenario}" failed: ${JSON.stringify(errors)}`];
  });
  return [...new Set([...failed, ...findDifferentBodies(runs.filter(isLoadRun))])];
}

function findLoad(run: Run): Measured["load"] | null {
  if (isLoadRun(run)) return run.measured.load;
  return run.kind === "slow streams" ? run.load : null;
}

/** Lists scenarios whose bytes differ from those of the mock upstream. Such a proxy does different work. */
function findDifferentBodies(runs: readonly LoadRun[]): string[] {
  const bytesPerAnswer = ({ measured: { load } }: LoadRun) => load.bodyBytes / load.answered;
  return runs.flatMap((run) => {
    const { target, scenario } = run;
    const reference = REFERENCE.map((name) =>
      runs.find((other) => other.target === name && other.scenario === scenario),
    ).find((other) => other !== undefined);
    const isSame = !reference || bytesPerAnswer(reference) === bytesPerAnswer(run);
    return isSame || !CHECKED.includes(target)
      ? []
      : [`${target}: bodies of "${scenario}" differ in length from those of ${reference.target}`];
  });
}

/** Joins the runs of two commands. Throws when their machines, cores or versions differ. */
export function joinResults(last: BenchResults, next: BenchResults): BenchResults {
  const differs = (["machine", "cores", "isQuick"] as const).find(
    (field) => JSON.stringify(last[field]) !== JSON.stringify(next[field]),
  );
  if (differs !== undefined) throw new Error(`The runs of the last command differ in ${differs}.`);
  for (const [name, version] of Object.entries(next.versions)) {
    const other = last.versions[name] ?? version;
    if (other !== version) throw new Error(`The last command measured ${name} ${other}.`);
  }
  const turnsBefore = (run: Run) =>
    last.runs.filter(({ target, scenario }) => target === run.target && scenario === run.scenario)
      .length;
  return {
    ...next,
    versions: { ...last.versions, ...next.versions },
    runs: [
      ...last.runs,
      ...next.runs.map((run) => ({ ...run, turn: run.turn + turnsBefore(run) })),
    ],
    notes: [...new Set([...last.notes, ...next.notes])],
    problems: [...last.problems, ...next.problems],
  };
}
