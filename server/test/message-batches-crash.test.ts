import { afterAll, expect, test } from "vitest";
import { expectExactCost, type KillPoint, killAt, makeBody } from "#test/harness/batch-kills.ts";
import { startBatchUpstream } from "#test/harness/batch-upstream.ts";
import { startServer, stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

const points: readonly KillPoint[] = [
  { step: "head", count: 1 },
  { step: "body", count: 5 },
  { step: "created", count: 1 },
  { step: "answered", count: 1 },
  { step: "results", count: 1 },
  { step: "results", count: 6 },
  { step: "results", count: 10 },
];

/** Each tenth of a body and of results, and the steps between them. */
const allPoints: readonly KillPoint[] = [
  { step: "head", count: 1 },
  { step: "body", count: 1 },
  { step: "body", count: 3 },
  { step: "body", count: 5 },
  { step: "body", count: 7 },
  { step: "body", count: 9 },
  { step: "body", count: 10 },
  { step: "created", count: 1 },
  { step: "created", count: 1 },
  { step: "answered", count: 1 },
  ...Array.from({ length: 10 }, (_, at) => ({ step: "results" as const, count: at + 1 })),
];

async function killAtEach(kills: readonly KillPoint[], lines: number): Promise<void> {
  const upstream = await startBatchUpstream();
  let server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-key", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
  const workspace = await server.workspaceWithKey();
  await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspace.workspaceId },
    period: "monthly",
    limit_usd: "1000",
    enforcement: "strict",
  });
  for (const [round, point] of kills.entries()) {
    const body = makeBody(lines, round);
    server = await killAt(server, { upstream, workspace, body, point });
    await expectExactCost(server, upstream, workspace);
  }
  // Only steps of a body can leave a batch that never arrived whole.
  const arriving = kills.filter(({ step }) => step === "head" || step === "body").length;
  expect(upstream.batches.size).toBeGreaterThanOrEqual(kills.length - arriving);
  const checked = await server.mustAdmin("GET", "/v1/admin/ledger_check");
  expect(checked).toMatchObject({ differences: [] });
  await server.stop();
  await upstream.close();
}

test(
  "after kill -9 at each step of a batch and a restart, each line that the upstream ran is recorded once",
  {
    timeout: 240_000,
  },
  () => killAtEach(points, 1_200),
);

test.runIf(process.env["TEST_ALL_KILLS"] !== undefined)(
  "the same at 20 steps of batches with 10,000 lines",
  { timeout: 1_800_000 },
  () => killAtEach(allPoints, 10_000),
);
