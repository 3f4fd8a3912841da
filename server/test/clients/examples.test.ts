import { cp, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "#test/harness/server-process.ts";
import { clientsFolder, runClient } from "./run-client.ts";
import { useServer } from "./use-server.ts";

// The programs of `examples/`, as a reader runs them. The test of the Python clients runs those for Python.

const served = useServer();

test.each([
  ["typescript-sdk", "main.ts"],
  ["vercel-ai", "main.ts"],
  ["langchain-js", "main.ts"],
  ["openai-sdk", "main.ts"],
  ["agent-sdk", "main.ts"],
  ["claude-code", "main.sh"],
])("examples/%s gets an answer", async (name, program) => {
  const { key } = await served.server.workspaceWithKey();
  // The program finds its packages in the folder above.
  const folder = await mkdtemp(join(clientsFolder(), "example-"));
  await cp(join(root, "examples", name), folder, { recursive: true });
  const isScript = program.endsWith(".sh");
  const end = await runClient({ url: served.url, key }, isScript ? "/bin/sh" : process.execPath, [
    join(folder, program),
  ]);
  expect(end.stderr).toBe("");
  expect(end.code).toBe(0);
  // Coding agents quote the result of their first tool call.
  expect(end.stdout).toMatch(/You wrote: Hello, Claude|The tool returned/);
});

test.each([
  ["go", "./hello", []],
  ["java", "java", ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", ".:lib/*", "Main"]],
])("examples/%s gets an answer", async (name, program, args) => {
  const { key } = await served.server.workspaceWithKey();
  const script = `cd '${join(clientsFolder(), "compiled", name)}' && exec "$@"`;
  const end = await runClient({ url: served.url, key }, "/bin/sh", [
    ...["-c", script, "sh", program],
    ...args,
  ]);
  expect(end.stdout).toContain("You wrote: Hello, Claude");
  expect(end.code).toBe(0);
});
