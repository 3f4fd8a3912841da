import { fillRequestLog } from "../server/test/harness/fill-request-log.ts";
import {
  abortLargeExport,
  type LargeExport,
  readLargeExport,
} from "../server/test/harness/large-export.ts";
import { startServer, stopAllServers } from "../server/test/harness/server-process.ts";

const DEFAULT_REQUESTS = 1_000_000;
const MAX_GROWTH_BYTES = 250 * 1024 ** 2;

/**
 * Exports a large request log from a real server in both formats. Prints the lines for bench/README.md and returns
 * the exit code.
 */
export async function soakExport(args: readonly string[]): Promise<number> {
  const requests = Number(args[0] ?? DEFAULT_REQUESTS);
  if (!Number.isInteger(requests) || requests < 1) {
    console.error("usage: npm run soak -- export [requests]");
    return 2;
  }
  try {
    const server = await startServer();
    const costNanoUsd = await fillRequestLog(server, await server.workspaceWithKey(), requests);
    console.log(
      "| date | format | requests | MB | seconds | memory before, MB | most, MB |\n|---|---|---|---|---|---|---|",
    );
    for (const format of ["csv", "jsonl"] as const) {
      const found = await readLargeExport(server, format);
      check(found, { requests, costNanoUsd });
      print(found);
    }
    await abortLargeExport(server);
    await server.stop();
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error : String(error));
    return 1;
  } finally {
    await stopAllServers();
  }
}

function check(found: LargeExport, wanted: { requests: number; costNanoUsd: bigint }): void {
  const { rows, costNanoUsd, rssBefore, rssPeak } = found;
  if (rows !== wanted.requests) throw new Error(`${rows} rows, expected ${wanted.requests}`);
  if (costNanoUsd !== wanted.costNanoUsd) {
    throw new Error(`${costNanoUsd} nano-dollars, expected ${wanted.costNanoUsd}`);
  }
  if (rssPeak - rssBefore > MAX_GROWTH_BYTES) {
    throw new Error(`memory grew from ${rssBefore} to ${rssPeak} bytes`);
  }
}

function print({ format, rows, bytes, seconds, rssBefore, rssPeak }: LargeExport): void {
  const megabytes = (count: number) => (count / 1e6).toFixed(0);
  const date = new Date().toISOString().slice(0, 10);
  console.log(
    `| ${date} | ${format} | ${rows} | ${megabytes(bytes)} | ${seconds.toFixed(0)} | ${megabytes(rssBefore)} | ` +
      `${megabytes(rssPeak)} |`,
  );
}
