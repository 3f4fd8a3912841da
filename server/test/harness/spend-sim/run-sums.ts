// Sums of many runs, of one process or of several.

export interface RunSums {
  counts: Record<string, number>;
  /** First seeds whose runs cut a stream while another node admitted a request. */
  unfairSeeds: number[];
  /** Messages of failed runs. Each names its seed. */
  failures: string[];
}

/** Most seeds that a summary names. */
const MAX_NAMED = 40;
/** Counts of a run that are faults. */
const FAULTS = ["stops", "cutOffs", "kills", "failovers", "brokenFolds", "fenced", "restarts"];

export function newSums(): RunSums {
  return { counts: {}, unfairSeeds: [], failures: [] };
}

/** Adds the counts of one run. */
export function addRun({ counts, unfairSeeds }: RunSums, seed: number, result: object): void {
  for (const [name, value] of Object.entries(result)) {
    const isCount = typeof value === "number" || typeof value === "bigint";
    if (isCount) counts[name] = (counts[name] ?? 0) + Number(value);
    if (name === "unfairElsewhere" && Number(value) > 0) unfairSeeds.push(seed);
  }
}

export function mergeSums(all: readonly RunSums[]): RunSums {
  const merged = newSums();
  for (const { counts, unfairSeeds, failures } of all) {
    for (const [name, count] of Object.entries(counts)) {
      merged.counts[name] = (merged.counts[name] ?? 0) + count;
    }
    merged.unfairSeeds.push(...unfairSeeds);
    merged.failures.push(...failures);
  }
  merged.unfairSeeds.sort((a, b) => a - b).splice(MAX_NAMED);
  return merged;
}

export function countFaults(counts: RunSums["counts"]): number {
  return FAULTS.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
}
