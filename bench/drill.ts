// `npm run drill -- failover`: a failover of PostgreSQL under Patroni, with etcd and HAProxy, on this machine. Nodes
// serve requests meanwhile, and one of them is killed together with the leader. The command needs Debian's packages
// etcd-server, haproxy, postgresql and python3-venv. The first run installs Patroni with pip into a cache folder. Nothing
// stays running. Prints a table, and exits with 1 on a fault.
import { isDeepStrictEqual, parseArgs } from "node:util";
import {
  expectedState,
  type FailoverFigures,
  type FailoverState,
  readFailoverFigures,
  readFailoverState,
} from "../server/test/harness/failover-facts.ts";
import { type Failover, listRecorded, runFailover } from "../server/test/harness/failover-run.ts";
import { stopAllServers } from "../server/test/harness/server-process.ts";
import { startPatroniCluster } from "./drill/patroni.ts";
import { type DrillPrograms, findDrillPrograms, MissingProgram } from "./drill/programs.ts";
import { formatTable } from "./ingest/table.ts";

const USAGE =
  "usage: npm run drill -- failover [--replication synchronous|asynchronous] [--nodes N] [--members N] [--seed N] [--postgres-bin FOLDER]";
const KINDS = ["synchronous", "asynchronous"] as const;

interface Options {
  kinds: readonly string[];
  nodes: number;
  members: number;
  seed: number;
  programs: DrillPrograms;
}

interface Row {
  kind: string;
  failover: Failover;
  figures: FailoverFigures;
  state: FailoverState;
  appendedAgain: number;
}

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main());

async function main(): Promise<number> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === null) {
      console.error(USAGE);
      return 2;
    }
    const rows: Row[] = [];
    for (const kind of options.kinds) rows.push(await drill(options, kind));
    console.log(`\n${formatRows(rows)}`);
    const faulty = rows.filter(({ state }) => !isDeepStrictEqual(state, expectedState));
    for (const { kind, state } of faulty) console.error(`faults, ${kind} replication:`, state);
    return faulty.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error instanceof MissingProgram ? error.message : error);
    return error instanceof MissingProgram ? 2 : 1;
  } finally {
    await stopAllServers();
  }
}

/** Null: the command is not understood. */
function readOptions(args: string[]): Options | null {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      replication: { type: "string" },
      nodes: { type: "string", default: "4" },
      members: { type: "string", default: "3" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      "postgres-bin": { type: "string" },
    },
  });
  const [nodes, members, seed] = [values.nodes, values.members, values.seed].map(Number);
  const kinds = KINDS.filter((kind) => (values.replication ?? kind) === kind);
  if (positionals.join() !== "failover" || kinds.length === 0) return null;
  if (!nodes || nodes < 2 || !members || members < 2 || !Number.isInteger(seed)) return null;
  const programs = findDrillPrograms(values["postgres-bin"]);
  return { kinds, nodes, members, seed: seed ?? 0, programs };
}

async function drill({ programs, nodes, members, seed }: Options, kind: string): Promise<Row> {
  console.log(`${kind} replication: ${members} PostgreSQL, ${nodes} nodes, seed ${seed}`);
  const cluster = await startPatroniCluster({
    programs,
    isSynchronous: kind === "synchronous",
    memberCount: members,
  });
  try {
    const clients = { wide: 24, tight: 12 };
    const run = { database: cluster, seed, nodeCount: nodes, clients };
    return await runFailover(run, (failover) => readRow(kind, failover, cluster.connectionString));
  } finally {
    await cluster.stop();
  }
}

/** Throws an Error for a fault in records or balances. */
async function readRow(kind: string, failover: Failover, connectionString: string): Promise<Row> {
  const figures = await readFailoverFigures(failover, { mayOverrun: kind === "asynchronous" });
  const state = await readFailoverState(failover);
  const recorded = await listRecorded(connectionString);
  const appendedAgain = failover.lostRecordIds.filter((id) => recorded.has(id)).length;
  return { kind, failover, figures, state, appendedAgain };
}

function formatRows(rows: readonly Row[]): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
  const usd = (nanoUsd: bigint) => `$${(Number(nanoUsd) / 1e9).toFixed(4)}`;
  const columns: readonly [string, (row: Row) => string][] = [
    ["replication", ({ kind }) => kind],
    ["time without a primary", ({ failover }) => seconds(failover.promotedMs)],
    ["requests at the upstream, each with one record", ({ figures }) => String(figures.reached)],
    ["records lost by the database", ({ failover }) => String(failover.lostRecordIds.length)],
    ["appended again", ({ appendedAgain }) => String(appendedAgain)],
    ["changes lost", ({ figures }) => String(figures.lostEvents)],
    ["refused", ({ state }) => String(sum(Object.values(state.refused)))],
    ["slowest answer", ({ figures }) => seconds(figures.slowestMs)],
    ["overrun of the strict limit", ({ figures }) => usd(figures.tight.overrunNanoUsd)],
  ];
  return formatTable(
    columns.map(([title]) => title),
    rows.map((row) => `| ${columns.map(([, pick]) => pick(row)).join(" | ")} |`),
  );
}
