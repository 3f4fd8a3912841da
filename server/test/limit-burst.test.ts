import { afterAll, expect } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { messageEnd, messageJson, messageStart } from "./harness/fake-upstream.ts";
import { call, messageBody, open, withKey } from "./harness/gateway.ts";
import {
  type ServerProcess,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";
import { test } from "./harness/upstream-test.ts";

// A burst of one API key under an unused strict limit, while its slow streams run: a real server in front of a slow upstream.

const BURST = 5_000;
const STREAMS = 2_000;
const LIMIT_USD = 100_000;
const ANSWER_MS = 200;
const streamsEnd = Promise.withResolvers<void>();
let server: ServerProcess;
let team: WorkspaceWithKey;

test.beforeAll(async ({ upstream }) => {
  upstream.script = async (exchange) => {
    if (exchange.received.body.includes('"stream":true')) {
      exchange.startStream();
      await exchange.write(messageStart());
      await streamsEnd.promise;
      await exchange.write(messageEnd().join(""));
      return exchange.end();
    }
    await new Promise((done) => setTimeout(done, ANSWER_MS));
    exchange.json(messageJson());
  };
  server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-key", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
  team = await server.workspaceWithKey({ name: "Burst" });
}, 90_000);

afterAll(async () => {
  await stopAllServers();
});

test("answers 5,000 concurrent requests of one key beside 2,000 streams under an unused strict limit", async ({
  upstream,
}) => {
  await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: team.workspaceId,
    monthly_limit_usd: LIMIT_USD,
  });
  const path = `/v1/admin/workspaces/limits?workspace_id=${team.workspaceId}`;
  await eventually(30_000, "an active limit", async () => {
    const { data } = (await server.mustAdmin("GET", path)) as { data: { state: string }[] };
    return data[0]?.state === "active" ? true : null;
  });

  const headers = withKey(team.key);
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, () =>
      open(server.url, { headers, body: messageBody({ stream: true }) }),
    ),
  );
  expect(new Set(streams.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  const answers = await Promise.all(
    Array.from({ length: BURST }, () => call(server.url, { headers, body: messageBody() })),
  );

  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.slice(0, 3).map(({ status, text }) => `${status} ${text}`)).toEqual([]);
  expect(refused.length).toBe(0);
  streamsEnd.resolve();
  const texts = await Promise.all(
    streams.map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
  );
  expect(texts.filter((text) => !text.includes("message_stop"))).toEqual([]);
  expect(upstream.received.length).toBe(STREAMS + BURST);
}, 120_000);
