import { afterAll, expect, test } from "vitest";
import { expectExactCost, type KillPoint, killAt, makeBody } from "#test/harness/batch-kills.ts";
import { startBatchUpstream } from "#test/harness/batch-upstream.ts";
import { startServer, stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

const LINES = 1_200;

const points: readonly KillPoint[] = [
  { step: "head", count: 1 },
  { step: "body", count: 5 },
  { step: "created", count: 1 },
  { step: "answered", count: 1 },
  { step: "results", count: 1 },
  { step: "results", count: 6 },
  { step: "results", count: 10 },
];

test("after kill -9 at each step of a batch and a restart, each line that the upstream ran is recorded once", {
  timeout: 240_000,
}, async () => {
  const upstream = await startBatchUpstream();
  let server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-key", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
  const workspace = await server.workspaceWithKey();
  await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspace.workspaceId },
    period: "monthly",
    limit_usd: "100",
    enforcement: "strict",
  });
  for (const [round, point] of points.entries()) {
    const body = makeBody(LINES, round);
    server = await killAt(server, { upstream, workspace, body, point });
    await expectExactCost(server, upstream, workspace);
  }
  // A body that was on its way when its server died can still arrive whole.
  expect(upstream.batches.size).toBeGreaterThanOrEqual(points.length - 2);
  const checked = await server.mustAdmin("GET", "/v1/admin/ledger_check");
  expect(checked).toMatchObject({ differences: [] });
  await upstream.close();
});
