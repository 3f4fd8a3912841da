// `node bench/agents.ts [--limit 10] [--sessions 20] [--hold steps,whole] [--seed 1]`: developers with Claude Code in auto mode
// share one strict limit, until no request can start any more.
// `node bench/agents.ts search [--requests 200] [--hold steps,whole]`: streams that search the web, and what they hold.
// `node bench/agents.ts hi --clients FOLDER`: the real client under a limit of $2.
// `node bench/agents.ts gateway --port 28600 --url URL --token TOKEN`: the same developers through another gateway, which runs
// already, has a cap of `--limit`, and sends its requests to this port.
// The upstream is `agents/stand-in.ts`, which bills exactly. Exits with 1 after an overrun, and if more was billed than the limit.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { parseUsd } from "../server/src/domain/money.ts";
import type { BursarTarget, RunLimit } from "./agents/bursar-target.ts";
import type { SearchKind } from "./agents/plan-answer.ts";
import {
  describeRun,
  listHoldRatios,
  printTable,
  type Run,
  showQuantiles,
  showUsd,
  sum,
} from "./agents/report-run.ts";
import { runAgents } from "./agents/run-agents.ts";
import { runClaude } from "./agents/run-client.ts";
import { runSearches } from "./agents/run-searches.ts";
import { withBursar } from "./agents/start-run.ts";
import { type StandIn, startStandIn } from "./agents/start-stand-in.ts";

/** Longer than the stand-in generates for a client that has left. */
const SETTLE_MS = 3_000;
/** Never reached. */
const SEARCH_LIMIT_USD = 100_000;
const SEARCHES_AT_ONCE = 60;
/** Kinds of searches that `search` measures. */
const SEARCH_KINDS: readonly (SearchKind & { name: string; isCached: boolean })[] = [
  { name: "even, none", isRecorded: false, isCached: false, cachesResults: false },
  { name: "even, 1 hour", isRecorded: false, isCached: true, cachesResults: false },
  { name: "even, 1 hour, results too", isRecorded: false, isCached: true, cachesResults: true },
  { name: "recorded, none", isRecorded: true, isCached: false, cachesResults: false },
  { name: "recorded, 1 hour, results too", isRecorded: true, isCached: true, cachesResults: true },
];
const HI_LIMIT_USD = 2;
const HI_TOKENS = 12;
const TEN = 10;

type Hold = RunLimit["hold"];

interface Options {
  limitUsd: number;
  sessions: number;
  holds: Hold[];
  seed: number;
  mostSeconds: number;
  requests: number;
  clients: string | null;
  /** Port of the stand-in. 0: any free one. */
  port: number;
  /** Address of another gateway, and its bearer token. */
  url: string | null;
  token: string | null;
}

process.exit(await main());

async function main(): Promise<number> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      limit: { type: "string", default: "10" },
      sessions: { type: "string", default: "20" },
      hold: { type: "string", default: "steps,whole" },
      seed: { type: "string", default: "1" },
      seconds: { type: "string", default: "1800" },
      requests: { type: "string", default: "200" },
      clients: { type: "string" },
      port: { type: "string", default: "0" },
      url: { type: "string" },
      token: { type: "string" },
    },
  });
  const options: Options = {
    limitUsd: Number(values.limit),
    sessions: Number(values.sessions),
    holds: values.hold.split(",").map(readHold),
    seed: Number(values.seed),
    mostSeconds: Number(values.seconds),
    requests: Number(values.requests),
    clients: values.clients ?? null,
    port: Number(values.port),
    url: values.url ?? null,
    token: values.token ?? null,
  };
  switch (positionals[0]) {
    case undefined:
      return await measureAgents(options);
    case "search":
      return await measureSearches(options);
    case "hi":
      return await measureHi(options);
    case "gateway":
      return await measureGateway(options);
    default:
      throw new Error(`Unknown command: ${positionals[0]}`);
  }
}

function readHold(name: string): Hold {
  if (name === "steps" || name === "whole") return name;
  if (name === "default") return null;
  throw new Error(`--hold is steps, whole or default, not ${name}`);
}

async function measureAgents(options: Options): Promise<number> {
  const { limitUsd, seed } = options;
  const limitNanoUsd = parseUsd(limitUsd);
  const runs: Run[] = [];
  for (const hold of options.holds) {
    const name = nameOf(hold);
    console.error(`> ${name}`);
    const run = await withBursar({ seed }, { limitUsd, hold }, async ({ standIn, target }) => {
      const credentialOf = () => ({ "x-api-key": target.key });
      const { url, readLimit } = target;
      const ran = await runAgents({ url, credentialOf, readLimit }, options);
      return { name, limitNanoUsd, ...ran, ...(await readFigures(standIn, target)) };
    });
    runs.push(run);
  }
  printTable(runs.map((run) => ({ name: run.name, rows: describeRun(run) })));
  return runs.every(isWithinLimit) ? 0 : 1;
}

async function measureSearches(options: Options): Promise<number> {
  const rows: string[] = [];
  let failed = 0;
  for (const hold of options.holds) {
    for (const searches of SEARCH_KINDS) {
      console.error(`> ${nameOf(hold)}, ${searches.name}`);
      const { seed, requests } = options;
      const limit = { limitUsd: SEARCH_LIMIT_USD, hold };
      await withBursar({ seed, searches }, limit, async ({ target }) => {
        const { isCached } = searches;
        const asked = { requests, concurrent: SEARCHES_AT_ONCE, seed, isCached };
        const attempts = await runSearches(target, asked);
        failed += attempts.filter(({ isComplete }) => !isComplete).length;
        await sleep(SETTLE_MS);
        const records = await target.listRecords();
        const { overrunNanoUsd } = await target.readLimit();
        const ratios = listHoldRatios(records);
        const holds = records.map(({ holdNanoUsd }) => Number(holdNanoUsd ?? 0n) / 1e9);
        const costs = records.map(({ costNanoUsd }) => Number(costNanoUsd) / 1e9);
        const shares = [0.5, 0.95];
        const figures = [holds, costs, ratios].map((values) => showQuantiles(values, shares));
        rows.push(
          `| ${nameOf(hold)} | ${searches.name} | ${records.length} | ${figures.join(" | ")} | ${showUsd(overrunNanoUsd)} |`,
        );
      });
    }
  }
  console.log(
    "\n| limit | results, cache mark | streams | highest hold $: p50 / p95 | cost $: p50 / p95 | hold ÷ cost: p50 / p95 | overrun |",
  );
  console.log(`|---|---|---|---|---|---|---|\n${rows.join("\n")}`);
  return failed === 0 ? 0 : 1;
}

async function measureHi({ clients, holds, seed }: Options): Promise<number> {
  if (clients === null)
    throw new Error("--clients is the folder of server/test/clients/install.mjs");
  let failed = 0;
  for (const hold of holds) {
    const limit = { limitUsd: HI_LIMIT_USD, hold };
    await withBursar({ seed, fixedTokens: HI_TOKENS }, limit, async ({ standIn, target }) => {
      const args = ["-p", "hi", "--model", "opus"];
      const { stdout, stderr, code } = await runClaude(clients, target, args);
      await sleep(SETTLE_MS);
      const bills = await standIn.listBills();
      const records = await target.listRecords();
      if (code !== 0 && hold !== "whole") failed += 1;
      const held = records.map(({ holdNanoUsd }) => showUsd(holdNanoUsd ?? 0n));
      const billed = showUsd(sum(bills.map(({ nanoUsd }) => nanoUsd)));
      console.log(
        `${nameOf(hold)}: exit ${code}, held ${held.join(", ") || "-"}, billed ${billed}`,
      );
      console.log((stdout + stderr).trim().split("\n").slice(0, TEN).join("\n"));
    });
  }
  return failed === 0 ? 0 : 1;
}

async function measureGateway(options: Options): Promise<number> {
  const { url, token, port, seed } = options;
  if (url === null || token === null) throw new Error("--url and --token are those of the gateway");
  const standIn = await startStandIn({ seed, port });
  try {
    const credentialOf = () => ({ authorization: `Bearer ${token}` });
    const ran = await runAgents({ url, credentialOf, readLimit: null }, options);
    await sleep(SETTLE_MS);
    const bills = await standIn.listBills();
    const unknown = { records: null, limit: null, overrunFirings: null };
    const limitNanoUsd = parseUsd(options.limitUsd);
    const run = { name: new URL(url).host, limitNanoUsd, ...ran, bills, ...unknown };
    printTable([{ name: run.name, rows: describeRun(run) }]);
    return isWithinLimit(run) ? 0 : 1;
  } finally {
    await standIn.stop();
  }
}

async function readFigures(
  standIn: StandIn,
  target: BursarTarget,
): Promise<Pick<Run, "bills" | "records" | "limit" | "overrunFirings">> {
  await sleep(SETTLE_MS);
  return {
    bills: await standIn.listBills(),
    records: await target.listRecords(),
    limit: await target.readLimit(),
    overrunFirings: await target.countOverrunFirings(),
  };
}

function nameOf(hold: Hold): string {
  return `hold: ${hold ?? "default"}`;
}

function isWithinLimit({ bills, limit, limitNanoUsd }: Run): boolean {
  const billed = sum(bills.map(({ nanoUsd }) => nanoUsd));
  return billed <= limitNanoUsd && (limit?.overrunNanoUsd ?? 0n) === 0n;
}
