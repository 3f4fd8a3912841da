import { expect, test } from "vitest";
import { runConnectSample, runProgram } from "./run-client.ts";
import { useServer } from "./use-server.ts";

const served = useServer();

interface Given {
  ran: { city: string; days: number }[];
  message: { stop_reason: string; content: { text?: string }[] };
}

test("the tool runner continues its thread, runs its tool and ends", async () => {
  const { key } = await served.server.workspaceWithKey();
  const { ran, message } = await runProgram<Given>({ url: served.url, key }, "tool-runner.mjs");
  expect(ran).toEqual([{ city: "sample city", days: 2 }]);
  expect(message.stop_reason).toBe("end_turn");
  expect(message.content.at(-1)?.text).toContain("The tool returned: sunny in sample city");
  expect(served.takeMessages().map(({ status }) => status)).toEqual([200, 200]);
});

test.each(["TypeScript", "curl"])(
  "the code of the page Connect for %s is answered",
  async (client) => {
    const { key } = await served.server.workspaceWithKey();
    const output = await runConnectSample({ url: served.url, key }, client);
    expect(output).toContain("You wrote: Hello, Claude");
    expect(served.takeMessages().map(({ status }) => status)).toEqual([200]);
  },
);
