import { expect } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { makeAnthropicUpstream } from "./anthropic.ts";
import { startHealthReports } from "./report-health.ts";
import { MAX_FAILURES_IN_ROW } from "./upstream-health.ts";

const test = base.extend("upstreamId", async ({ org }) => {
  const body = { name: "Claude", base_url: "https://api.anthropic.com" };
  return (await org.operator.post<{ id: string }>("/v1/admin/upstreams", body)).body.id;
});

const makeUpstream = (id: string) =>
  makeAnthropicUpstream({
    id,
    baseUrl: "https://api.anthropic.com",
    credential: null,
    source: "stored",
    idleTimeoutMs: 1_000,
    turnEnd: null,
  });

test("shows the newest report of each node, and none of a node that is gone", async ({
  h,
  org,
  upstreamId,
}) => {
  const upstream = makeUpstream(upstreamId);
  const others = [makeUpstream("ups_deleted"), upstream];
  const reportAs = async (nodeId: string) => {
    const { database } = h.deps;
    const nowMs = () => h.clock.nowMs;
    const upstreams = { listStored: () => others };
    const reports = startHealthReports({
      ...{ database, upstreams, nodeId, nowMs },
      logger: makeLogger("silent"),
    });
    await reports.report();
    await reports.stop();
  };
  const read = async () =>
    (await org.admin.get<{ data: object[] }>(`/v1/admin/upstreams/${upstreamId}/health`)).body.data;

  upstream.health.noteAnswer(200, h.clock.nowMs);
  await reportAs("node_1");
  for (let i = 0; i < MAX_FAILURES_IN_ROW; i++) {
    upstream.health.noteFailure("ECONNREFUSED", h.clock.nowMs);
  }
  await reportAs("node_2");
  const at = new Date(h.clock.nowMs).toISOString();
  expect(await read()).toMatchObject([
    { node_id: "node_1", state: "closed", answers: 1, failures: 0, last_failure: null },
    {
      node_id: "node_2",
      state: "open",
      failures: MAX_FAILURES_IN_ROW,
      failures_in_row: MAX_FAILURES_IN_ROW,
      last_failure: "ECONNREFUSED",
      last_failure_at: at,
      last_answer_at: at,
    },
  ]);
  const list = async (query = "") =>
    (await org.admin.get<{ data: object[] }>(`/v1/admin/upstreams${query}`)).body.data;
  expect(await list("?include_health=true")).toMatchObject([
    { id: upstreamId, health: await read() },
  ]);
  expect(await list()).toMatchObject([{ id: upstreamId, health: null }]);
  h.clock.nowMs += 3 * 60_000 + 1;
  await reportAs("node_1");
  expect(await read()).toMatchObject([{ node_id: "node_1", state: "open" }]);
});
