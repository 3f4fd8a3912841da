// `npm run bench:ingest`: measures the write path without HTTP. Node processes record requests with the product's
// journal, meter, ledger, leases and alerts into its embedded PostgreSQL, which has a core of its own.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkOut } from "./checkouts.ts";
import { root } from "./children.ts";
import { type CoreSplit, splitCores } from "./cores.ts";
import { prepareCompany, prepareHistory } from "./ingest/database.ts";
import { formatHttp, type HttpResult, runHttp } from "./ingest/http.ts";
import { type IngestOptions, readOptions, USAGE } from "./ingest/options.ts";
import { type CaseResult, type IngestCase, runCase } from "./ingest/run-case.ts";
import { formatCases, formatStored, type Side, type Turn } from "./ingest/table.ts";
import { formatVisible, runVisible, type VisibleResult } from "./ingest/visible.ts";

const OUTPUT = join(root, "bench", "results", "ingest.json");

/** One revision. */
interface Checkout {
  side: Side;
  source: string;
  /** Folder for its data. */
  folder: string;
}

interface Bench {
  options: IngestOptions;
  checkouts: readonly Checkout[];
  split: CoreSplit | null;
}

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  if (process.platform !== "linux") {
    console.error("The benchmark reads /proc, so it runs on Linux only.");
    return 2;
  }
  let options: IngestOptions;
  try {
    options = readOptions(args, OUTPUT);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-ingest-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  try {
    const checkouts = makeCheckouts(options, folder);
    const problems = await runMode({ options, checkouts, split: splitCores() }, args);
    for (const problem of problems) console.error(problem);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.stack : error);
    return 1;
  }
}

function makeCheckouts({ before, data }: IngestOptions, folder: string): Checkout[] {
  const now: Checkout = { side: "now", source: root, folder: join(data ?? folder, "now") };
  mkdirSync(now.folder, { recursive: true });
  if (before === null) return [now];
  const source = join(folder, "source");
  checkOut(before, source);
  const earlier: Checkout = { side: "before", source, folder: join(data ?? folder, "before") };
  mkdirSync(earlier.folder, { recursive: true });
  return [earlier, now];
}

/** Runs all turns, prints the table and writes the file. Returns descriptions of wrong results. */
async function runMode(bench: Bench, args: readonly string[]): Promise<string[]> {
  const facts = {
    date: new Date().toISOString(),
    arguments: args,
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: availableParallelism() },
    loadBefore: loadavg(),
    cores: bench.split,
  };
  const write = (turns: readonly object[]) => {
    mkdirSync(dirname(bench.options.output), { recursive: true });
    writeFileSync(bench.options.output, `${JSON.stringify({ ...facts, turns }, null, 2)}\n`);
  };
  switch (bench.options.mode) {
    case "ingest": {
      const turns = await runCases(bench, write);
      console.log(`\n${formatCases(turns)}\n\n${formatStored(turns)}`);
      return turns.flatMap(({ problems }) => problems);
    }
    case "visible": {
      const turns = await runVisibleTurns(bench, write);
      console.log(`\n${formatVisible(turns)}`);
      return turns.filter(({ unseen }) => unseen > 0).map(describeUnseen);
    }
    case "http": {
      const turns = await runHttpTurns(bench, write);
      console.log(`\n${formatHttp(turns)}`);
      return turns.flatMap(({ problems }) => problems);
    }
  }
}

type Write = (turns: readonly object[]) => void;

/** Cases in turn: each case on one side, then on the other. */
async function runCases(bench: Bench, write: Write): Promise<Turn<CaseResult>[]> {
  const { options, checkouts, split } = bench;
  for (const { side, source, folder } of checkouts) {
    console.error(`> ${side}: a company`);
    await prepareCompany(source, join(folder, "company"));
  }
  const turns: Turn<CaseResult>[] = [];
  for (const { turn, one, checkout } of listTurns(bench)) {
    const { side, source } = checkout;
    console.error(`> turn ${turn}: ${side}, ${one.keys} keys, ${one.nodes} nodes`);
    const prepared = join(checkout.folder, "company");
    const folder = join(checkout.folder, "run");
    const result = await runCase(one, { options, source, prepared, folder, split });
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    turns.push({ side, turn, ...result });
    write(turns);
    console.error(`>   ${describeCase(result)}`);
  }
  return turns;
}

function describeCase({ settledPerSecond, databaseCpuMicros, walBytes }: CaseResult): string {
  const [settled, cpu, wal] = [settledPerSecond, databaseCpuMicros, walBytes].map(Math.round);
  const [load = 0] = loadavg();
  return `${settled}/s, ${cpu} µs of PostgreSQL, ${wal} bytes of WAL. Machine load ${load.toFixed(1)}`;
}

async function runVisibleTurns(bench: Bench, write: Write): Promise<Turn<VisibleResult>[]> {
  const { options, checkouts, split } = bench;
  const history = { requests: options.history, keys: Math.max(...options.keys) };
  const historyOf = ({ folder }: Checkout) =>
    join(folder, `history-${history.requests}-${history.keys}`);
  for (const checkout of checkouts) {
    const folder = historyOf(checkout);
    const marker = `${folder}.complete`;
    if (existsSync(marker)) continue;
    rmSync(folder, { recursive: true, force: true });
    console.error(`> ${checkout.side}: a history of ${history.requests} requests`);
    await prepareHistory(checkout.source, folder, history);
    writeFileSync(marker, "");
  }
  const turns: Turn<VisibleResult>[] = [];
  for (const { turn, one, checkout } of listTurns(bench)) {
    const { side, source } = checkout;
    console.error(`> turn ${turn}: ${side}, ${one.keys} keys, ${one.nodes} nodes`);
    const folder = historyOf(checkout);
    const result = await runVisible({ ...one, options, source, folder, split });
    turns.push({ side, turn, ...result });
    write(turns);
  }
  return turns;
}

async function runHttpTurns(bench: Bench, write: Write): Promise<Turn<HttpResult>[]> {
  const { options, checkouts, split } = bench;
  const turns: Turn<HttpResult>[] = [];
  for (let turn = 1; turn <= options.turns; turn++) {
    for (const { side, source, folder } of checkouts) {
      console.error(`> turn ${turn}: ${side}`);
      const own = join(folder, `http-${turn}`);
      const isQuick = options.isQuick;
      turns.push({ side, turn, ...(await runHttp({ source, folder: own, split, isQuick })) });
      write(turns);
    }
  }
  return turns;
}

function* listTurns({ options, checkouts }: Bench) {
  for (let turn = 1; turn <= options.turns; turn++) {
    for (const keys of options.keys) {
      for (const nodes of options.nodes) {
        const one: IngestCase = { keys, nodes, limits: options.limits };
        for (const checkout of checkouts) yield { turn, one, checkout };
      }
    }
  }
}

function describeUnseen({ side, turn, unseen }: Turn<VisibleResult>): string {
  return `turn ${turn}, ${side}: ${unseen} requests were never in the report of their key`;
}
