import { expect, test } from "vitest";
import { runProgram } from "./run-client.ts";
import { useServer } from "./use-server.ts";

const served = useServer();

interface Given {
  ran: { city: string }[];
  called: string[];
  result: { subtype: string; is_error: boolean; result: string };
}

test("an agent finds its own tool, runs it and ends", async () => {
  const { key } = await served.server.workspaceWithKey();
  const prompt = "Use get_weather for Paris.";
  const given = await runProgram<Given>({ url: served.url, key }, "agent-sdk.mjs", [prompt]);
  expect(given.called).toEqual(["ToolSearch", "mcp__desk__get_weather"]);
  expect(given.ran).toEqual([{ city: "sample city" }]);
  expect(given.result).toMatchObject({ subtype: "success", is_error: false });
  expect(given.result.result).toContain("The tool returned: sunny");
  for (const { status } of served.takeMessages()) expect(status).toBe(200);
});

test("an agent without tool instructions starts with a harmless tool", async () => {
  const { key } = await served.server.workspaceWithKey();
  const given = await runProgram<Given>({ url: served.url, key }, "agent-sdk.mjs", ["Hello"]);
  expect(given.called).toEqual(["Bash"]);
  expect(given.result).toMatchObject({ subtype: "success", is_error: false });
});
