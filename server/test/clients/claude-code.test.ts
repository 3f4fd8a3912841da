import { expect, test } from "vitest";
import { sendMessage } from "#test/harness/server-process.ts";
import {
  type Access,
  inBedrockMode,
  inFoundryMode,
  inVertexMode,
  runClaudeCode,
  runConnectSample,
} from "./run-client.ts";
import { expectToolTurn } from "./tool-turn.ts";
import { useServer } from "./use-server.ts";

const served = useServer();

test.each([
  ["the mode of the Claude API", (access: Access) => access],
  ["Bedrock mode", inBedrockMode],
  ["Vertex mode", inVertexMode],
  ["Foundry mode", inFoundryMode],
])("a turn in %s calls a tool, reads its result and ends", async (_, toMode) => {
  const { key } = await served.server.workspaceWithKey();
  await expectToolTurn(toMode({ url: served.url, key }));
  expect(served.takeMessages().map(({ status }) => status)).toEqual([200, 200]);
});

test.each([
  ["Bedrock mode", inBedrockMode, [401]],
  // The client loads its token again after a refusal.
  ["Vertex mode", inVertexMode, [401, 401, 401]],
])("in %s a wrong key ends the turn with a message", async (_, toMode, statuses) => {
  const key = `sk-ant-api03-${"x".repeat(49)}`;
  const { stdout, code } = await runClaudeCode(toMode({ url: served.url, key }), ["Hello"]);
  expect(code).toBe(1);
  expect(stdout).toContain("Not logged in");
  expect(served.takeMessages().map(({ status }) => status)).toEqual(statuses);
});

test("the code of the page Connect starts a turn", async () => {
  const { key } = await served.server.workspaceWithKey();
  const prelude = 'claude() { command claude -p "Hello" "$@"; }\n';
  const output = await runConnectSample({ url: served.url, key }, "Claude Code", prelude);
  expect(output).toContain("This is Bursar's built-in simulator");
  expect(served.takeMessages().map(({ status }) => status)).toEqual([200, 200]);
});

test("in auto mode a turn with a tool call uses no more of a limit than another turn", async () => {
  const { workspaceId, key } = await served.server.workspaceWithKey();
  await served.server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspaceId,
    monthly_limit_usd: 5,
  });
  const limits = `/v1/admin/workspaces/limits?workspace_id=${workspaceId}`;
  await expect
    .poll(() => served.server.mustAdmin("GET", limits))
    .toMatchObject({ data: [{ state: "active" }] });
  const args = ["Hello", "--permission-mode", "auto"];
  const { folder, stdout, code } = await runClaudeCode({ url: served.url, key }, args);
  expect(stdout).toContain(`The tool returned: ${folder}`);
  expect(code).toBe(0);
  // Without the result of the requested check, the client would send requests of its own.
  expect(served.takeMessages().map(({ status }) => status)).toEqual([200, 200]);
});

const MAX_WRONG_KEY_MS = 15_000;

test("with a wrong key it sends one request and ends within 15 seconds with a message", async () => {
  const startedAt = performance.now();
  const key = `sk-ant-api03-${"x".repeat(49)}`;
  const { stdout, code } = await runClaudeCode({ url: served.url, key }, ["Hello"]);
  expect(performance.now() - startedAt).toBeLessThan(MAX_WRONG_KEY_MS);
  expect(code).toBe(1);
  expect(stdout).toContain("Invalid API key");
  expect(served.takeMessages().map(({ status }) => status)).toEqual([401]);
});

test("at a spent limit it sends one request and prints the limit", async () => {
  const { workspaceId, key } = await served.server.workspaceWithKey();
  // One response of $7.50.
  const model = "simulate-in1000000-out100000-as-claude-opus-5";
  expect((await sendMessage(served.server.url, key, { model })).status).toBe(200);
  await served.server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspaceId,
    monthly_limit_usd: 1,
  });
  await expect.poll(async () => (await sendMessage(served.server.url, key)).status).toBe(400);
  const { stdout, code } = await runClaudeCode({ url: served.url, key }, ["Hello"]);
  expect(code).toBe(1);
  expect(stdout).toContain(`The monthly spend limit of workspace ${workspaceId} is $1.00`);
  expect(served.takeMessages().map(({ status }) => status)).toEqual([429]);
});
