import { afterAll, expect, test } from "vitest";
import { expectExactCost, makeBody, sendBatch } from "#test/harness/batch-kills.ts";
import { startBatchUpstream } from "#test/harness/batch-upstream.ts";
import { startServer, stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

test("a batch whose answer is lost is found by the running server, and metered once", {
  timeout: 120_000,
}, async () => {
  const upstream = await startBatchUpstream();
  const server = await startServer({
    env: {
      ANTHROPIC_API_KEY: "upstream-key",
      ANTHROPIC_UPSTREAM_URL: upstream.origin,
      BURSAR_UPSTREAM_IDLE: "1s",
    },
  });
  const workspace = await server.workspaceWithKey();
  await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspace.workspaceId },
    period: "monthly",
    limit_usd: "100",
    enforcement: "strict",
  });
  // The upstream creates the batch, and its answer does not come before the server gives up.
  const created = upstream.stopAt("created");
  await Promise.race([created, sendBatch(server, workspace, makeBody(50, 0))]);
  expect(upstream.batches.size).toBe(1);
  expect(await expectExactCost(server, upstream, workspace)).toBe(0n);
  upstream.release();
  await server.stop();
  await upstream.close();
});
