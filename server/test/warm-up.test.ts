import { readdirSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { startServer, stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

test.each([1, 2])(
  "a warm-up of %i processes is in no record, metric, key or journal",
  { timeout: 120_000 },
  async (processes) => {
    const server = await startServer({
      args: [`--processes=${processes}`],
      env: { BURSAR_LOG_LEVEL: "debug", BURSAR_WARM_UP: "600ms" },
    });
    expect(server.output().match(/warm-up is complete/g)).toHaveLength(processes);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).not.toMatch(/^bursar_claude_requests_total\{/m);
    expect(metrics).toMatch(/^bursar_claude_request_duration_seconds_count\S* 0$/m);
    const [counted] = await server.sql<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM usage_record) AS records,
        (SELECT count(*)::int FROM usage_batch) AS batches,
        (SELECT count(*)::int FROM usage_labels) AS labels,
        (SELECT count(*)::int FROM api_key) AS keys,
        (SELECT count(*)::int FROM balance) AS balances,
        (SELECT max(flushed_seq)::int FROM node) AS flushed`,
    );
    expect(counted).toEqual({
      records: 0,
      batches: 0,
      labels: 0,
      keys: 0,
      balances: 0,
      flushed: 0,
    });
    expect(readdirSync(server.dataDir).filter((name) => name.includes("warm"))).toEqual([]);
    await server.stop();
  },
);
