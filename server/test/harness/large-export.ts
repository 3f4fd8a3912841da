import { execFile } from "node:child_process";
import { get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { parseUsd } from "#src/domain/money.ts";
import { eventually } from "./eventually.ts";
import type { ServerProcess } from "./server-process.ts";

// Reads an export of the request log from a real server over HTTP. The export is larger than the memory that a server
// may use for it, and the client reads slower than the server sends.

export interface LargeExport {
  format: "csv" | "jsonl";
  rows: number;
  bytes: number;
  seconds: number;
  costNanoUsd: bigint;
  /** Resident memory of the server's process, bytes. */
  rssBefore: number;
  rssPeak: number;
}

/** Reads the complete export, slower than the server can send it. */
export async function readLargeExport(
  server: ServerProcess,
  format: LargeExport["format"],
): Promise<LargeExport> {
  const adminKey = await server.adminKey();
  const startedMs = performance.now();
  const rssBefore = await rssOf(server.pid);
  const result = { format, rows: 0, bytes: 0, costNanoUsd: 0n, rssBefore, rssPeak: rssBefore };
  const readLine = lineReader(format, (costUsd) => {
    result.rows++;
    result.costNanoUsd += parseUsd(costUsd);
  });
  let rest = "";
  for await (const piece of await openExport(server, { format, adminKey })) {
    result.bytes += piece.length;
    const lines = (rest + piece.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) readLine(line.trimEnd());
    if (result.bytes % SAMPLE_EVERY_BYTES < piece.length) {
      await delay(SLOW_MS);
      result.rssPeak = Math.max(result.rssPeak, await rssOf(server.pid));
    }
  }
  if (rest !== "") throw new Error("the last line of the export is incomplete");
  return { ...result, seconds: (performance.now() - startedMs) / 1000 };
}

const SAMPLE_EVERY_BYTES = 1_048_576;
const SLOW_MS = 20;

function openExport(
  server: ServerProcess,
  { format, adminKey }: { format: string; adminKey: string },
): Promise<AsyncIterable<Buffer>> {
  return new Promise((resolve, reject) => {
    const url = `${server.url}/v1/admin/requests/export?format=${format}`;
    const asked = get(url, { headers: { "x-api-key": adminKey } }, (answer) => {
      if (answer.statusCode === 200) resolve(answer);
      else reject(new Error(`the export was answered with ${answer.statusCode}`));
    });
    asked.on("error", reject);
  });
}

/** Splits lines. No cell of this history contains a comma or a quote. */
function lineReader(format: LargeExport["format"], onRow: (costUsd: string) => void) {
  if (format === "jsonl") {
    return (line: string) => onRow((JSON.parse(line) as { cost_usd: string }).cost_usd);
  }
  let place: number | null = null;
  return (line: string) => {
    const cells = line.split(",");
    if (place === null) place = cells.indexOf("cost_usd");
    else onRow(cells[place] ?? "");
  };
}

async function rssOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout) * 1024;
}

/** Aborts in the middle of the export. Waits until the database has no session of it. */
export async function abortLargeExport(server: ServerProcess): Promise<void> {
  const adminKey = await server.adminKey();
  const leaving = new AbortController();
  const answer = await fetch(`${server.url}/v1/admin/requests/export?format=jsonl`, {
    headers: { "x-api-key": adminKey },
    signal: leaving.signal,
  });
  await answer.body?.getReader().read();
  leaving.abort();
  await eventually(LEFT_MS, "the database to close the aborted export", async () => {
    // Active sessions, and sessions with an open transaction or cursor, on the events.
    const [left] = await server.sql<{ count: string }>(
      `SELECT count(*)::text AS count FROM pg_stat_activity
       WHERE pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE '%usage_record%'`,
    );
    return left?.count === "0" ? true : null;
  });
}

const LEFT_MS = 20_000;
