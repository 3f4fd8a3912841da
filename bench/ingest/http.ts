import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ScriptProcess } from "../children.ts";
import { type CoreSplit, pinProcesses } from "../cores.ts";
import { type Measured, measureScenario } from "../measure.ts";
import { monotonicMs } from "../monotonic.ts";
import { defaultDurations, getLoadScenario, quickDurations } from "../scenarios.ts";
import { startBursar } from "../targets/bursar.ts";
import { formatTable, type Turn } from "./table.ts";

/** The whole server at full load, with its database on another core. */
export interface HttpResult extends Measured {
  /** Time from the last response until the report counts all requests, milliseconds. */
  settledMs: number;
  problems: string[];
}

const POLL_MS = 50;
const SETTLED_WITHIN_MS = 30_000;

export async function runHttp(run: {
  source: string;
  folder: string;
  split: CoreSplit | null;
  isQuick: boolean;
}): Promise<HttpResult> {
  const { source, folder, split } = run;
  const scenario = getLoadScenario("json-1.5k");
  mkdirSync(folder);
  const load = new ScriptProcess("./load.ts");
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  const target = await startBursar({ upstreamPort, folder, source });
  try {
    if (split) {
      pinProcesses([...target.pids, load.pid, mock.pid], split.rest);
      pinProcesses(target.database?.pids() ?? [], [split.target]);
    }
    let answered = 0;
    const onAnswers = (count: number) => {
      answered += count;
    };
    const durations = run.isQuick ? quickDurations : defaultDurations;
    const bench = { load, durations, onAnswers };
    const result = await measureScenario(bench, target, { scenario, isFirst: true });
    const endedMs = monotonicMs();
    let recorded = 0;
    while (recorded < answered && monotonicMs() < endedMs + SETTLED_WITHIN_MS) {
      recorded = (await target.countRecorded?.()) ?? answered;
      await sleep(POLL_MS);
    }
    const problems =
      recorded === answered ? [] : [`${answered} answers over HTTP, but ${recorded} records`];
    return { ...result, settledMs: monotonicMs() - endedMs, problems };
  } finally {
    await target.database?.close();
    await target.stop();
    await Promise.all([load.stop(), mock.stop()]);
  }
}

export function formatHttp(turns: readonly Turn<HttpResult>[]): string {
  const titles = [
    "side",
    "turn",
    "requests/s",
    "server µs",
    "PostgreSQL µs",
    "last response to report ms",
  ];
  const rows = turns.map(({ side, turn, load, cpuMicros, databaseCpuMicros, settledMs }) => {
    const numbers = [load.answersPerSecond, cpuMicros, databaseCpuMicros ?? 0, settledMs];
    const cells = numbers.map((number) => Math.round(number).toLocaleString("en"));
    return `| ${side} | ${turn} | ${cells.join(" | ")} |`;
  });
  return formatTable(titles, rows);
}
