import { parseArgs } from "node:util";

export const limitChoices = ["none", "workspaces", "keys"] as const;
/** Scopes with a strict limit. The organization always has a soft limit. */
export type Limits = (typeof limitChoices)[number];
export type Mode = "ingest" | "visible" | "http";

export interface IngestOptions {
  mode: Mode;
  /** Revision to measure in turn with this tree. Null: this tree only. */
  before: string | null;
  /** Numbers of keys in use, one case each. */
  keys: readonly number[];
  /** Numbers of nodes, one case each. */
  nodes: readonly number[];
  limits: Limits;
  /** Requests per second of all nodes. Null: as fast as they are settled. */
  ratePerSecond: number | null;
  /** Requests of a measurement, instead of `seconds`. */
  requests: number | null;
  /** Hours before now over which `requests` are spread. */
  hours: number;
  seconds: number;
  warmUpSeconds: number;
  turns: number;
  /** Highest number of requests of all nodes that are begun but not settled. */
  backlog: number;
  /** Requests in the database before `--visible` begins. */
  history: number;
  /** Runs of each report. */
  runs: number;
  /** Runs only reports whose name contains this text. */
  only: string;
  /** Folder that keeps the databases of `--visible`. Null: a temporary one. */
  data: string | null;
  output: string;
  isQuick: boolean;
}

export const USAGE = `usage: npm run bench:ingest -- [options]

  --before REVISION   measures that revision in turn with this tree
  --keys 10,10000     keys in use            --nodes 1,2,4,8   node processes
  --limits SCOPES     strict limits: ${limitChoices.join(", ")}
  --rate N            requests per second. Default: as fast as they are settled
  --seconds N         measured time          --warm-up N       seconds before it
  --requests N        measures N requests instead, spread over the last --hours N
  --turns N           turns of each side     --backlog N       unsettled requests
  --visible           time until requests are visible, and times of reports, over --history N requests.
                      --runs N and --only TEXT choose reports, --data FOLDER keeps the database
  --http              full load over HTTP, through the whole server
  --output FILE       all measurements as JSON
  --quick             only checks that all parts work`;

const FULL = {
  keys: "10,100,1000,10000",
  nodes: "1,2,4,8",
  seconds: "15",
  warmUp: "5",
  turns: "3",
};
const QUICK = { keys: "10,100", nodes: "1,2", seconds: "2", warmUp: "1", turns: "1" };
/** Defaults of `--visible`, which has one case. */
const VISIBLE = { keys: "1000", nodes: "2", rate: "5000", turns: "1" };

/** The first and the last batch are not measured. */
const LEAST_BACKLOGS = 5;

/** Throws for an unknown option or an invalid value. */
export function readOptions(args: readonly string[], defaultOutput: string): IngestOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      before: { type: "string" },
      keys: { type: "string" },
      nodes: { type: "string" },
      limits: { type: "string", default: "none" },
      rate: { type: "string" },
      requests: { type: "string" },
      hours: { type: "string", default: "0" },
      seconds: { type: "string" },
      "warm-up": { type: "string" },
      turns: { type: "string" },
      backlog: { type: "string", default: "60000" },
      history: { type: "string", default: "1000000" },
      runs: { type: "string", default: "20" },
      only: { type: "string", default: "" },
      data: { type: "string" },
      output: { type: "string", default: defaultOutput },
      visible: { type: "boolean", default: false },
      http: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
    },
  });
  const base = values.quick ? QUICK : FULL;
  const defaults = values.visible ? { ...base, ...VISIBLE } : { ...base, rate: undefined };
  const rate = values.rate ?? defaults.rate;
  return checkTogether({
    mode: values.visible ? "visible" : values.http ? "http" : "ingest",
    before: values.before ?? null,
    keys: readCounts("--keys", values.keys ?? defaults.keys),
    nodes: readCounts("--nodes", values.nodes ?? defaults.nodes),
    limits: readLimits(values.limits),
    ratePerSecond: rate === undefined ? null : readCount("--rate", rate),
    requests: values.requests === undefined ? null : readCount("--requests", values.requests),
    hours: readCount("--hours", values.hours, 0),
    seconds: readCount("--seconds", values.seconds ?? defaults.seconds),
    warmUpSeconds: readCount("--warm-up", values["warm-up"] ?? defaults.warmUp, 0),
    turns: readCount("--turns", values.turns ?? defaults.turns),
    backlog: readCount("--backlog", values.backlog),
    history: readCount("--history", values.history),
    runs: readCount("--runs", values.runs),
    only: values.only,
    data: values.data ?? null,
    output: values.output,
    isQuick: values.quick,
  });
}

function checkTogether(options: IngestOptions): IngestOptions {
  const { hours, requests, backlog, limits, mode, keys, nodes } = options;
  if (requests !== null && requests < LEAST_BACKLOGS * backlog) {
    throw new Error(`--requests must be at least ${LEAST_BACKLOGS} times the --backlog.`);
  }
  if (hours > 0 && requests === null) throw new Error("--hours needs --requests.");
  if (hours > 0 && limits !== "none") {
    throw new Error("--hours cannot be combined with --limits, because a hold is of the present.");
  }
  if (mode === "visible" && Math.max(...nodes) >= Math.min(...keys)) {
    throw new Error(
      "--visible needs more keys than nodes, because each node has one for its probes.",
    );
  }
  return options;
}

function readLimits(text: string): Limits {
  const found = limitChoices.find((choice) => choice === text);
  if (found === undefined) throw new Error(`--limits is one of ${limitChoices.join(", ")}.`);
  return found;
}

function readCounts(name: string, text: string): number[] {
  return text.split(",").map((each) => readCount(name, each));
}

function readCount(name: string, text: string, least = 1): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= least)) throw new Error(`${name} needs whole numbers of at least ${least}.`);
  return count;
}
