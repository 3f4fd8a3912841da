import { cp, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { root } from "#test/harness/server-process.ts";
import { clientsFolder, runClient } from "./run-client.ts";
import { useServer } from "./use-server.ts";

// The programs of `examples/`, as a reader runs them. The test of the Python clients runs those for Python.

const served = useServer();

const REPORTED_MS = 30_000;

/** Names of the clients in the report about a workspace, once it has a request. */
function listClients(workspaceId: string): Promise<string[]> {
  const query = `workspace_id=${workspaceId}&bucket=none&group_by=client`;
  return eventually(REPORTED_MS, "the request is in the report", async () => {
    const { data } = await served.server.mustAdmin("GET", `/v1/admin/usage?${query}`);
    const names = (data as { client: string }[]).map(({ client }) => client);
    return names.length > 0 ? names : null;
  });
}

test.each([
  ["typescript-sdk", "main.ts", "anthropic-typescript"],
  ["vercel-ai", "main.ts", "vercel-ai"],
  // The package sends the name of the SDK that it uses.
  ["langchain-js", "main.ts", "anthropic-typescript"],
  ["openai-sdk", "main.ts", "openai-typescript"],
  ["agent-sdk", "main.ts", "claude-agent-sdk"],
  ["claude-code", "main.sh", "claude-code"],
])("examples/%s gets an answer, and is named in reports", async (name, program, client) => {
  const { key, workspaceId } = await served.server.workspaceWithKey();
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
  expect(await listClients(workspaceId)).toEqual([client]);
});

test.each([
  ["go", "./hello", [], "anthropic-go"],
  [
    "java",
    "java",
    ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", ".:lib/*", "Main"],
    "anthropic-java",
  ],
])("examples/%s gets an answer, and is named in reports", async (name, program, args, client) => {
  const { key, workspaceId } = await served.server.workspaceWithKey();
  const script = `cd '${join(clientsFolder(), "compiled", name)}' && exec "$@"`;
  const end = await runClient({ url: served.url, key }, "/bin/sh", [
    ...["-c", script, "sh", program],
    ...args,
  ]);
  expect(end.stdout).toContain("You wrote: Hello, Claude");
  expect(end.code).toBe(0);
  expect(await listClients(workspaceId)).toEqual([client]);
});
