import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { startSource } from "#test/harness/platforms/credential-sources.ts";

// Microsoft's library keeps its first source of managed identities for all later calls, so this source has a thread of its own.
const thread = new URL("../../../test/harness/platforms/authorize-in-thread.ts", import.meta.url);

test("Foundry uses the managed identity of a virtual machine that the environment names", async () => {
  const source = await startSource(() => ({
    body: {
      access_token: "entra-token",
      expires_in: "3600",
      resource: "https://ai.azure.com",
      token_type: "Bearer",
    },
  }));
  const worker = new Worker(thread, {
    execArgv: [],
    env: {
      AZURE_POD_IDENTITY_AUTHORITY_HOST: source.origin,
      AZURE_CLIENT_ID: "identity-of-the-machine",
    },
  });
  onTestFinished(async () => {
    await worker.terminate();
  });
  const [headers] = await once(worker, "message");
  expect(headers).toEqual(["authorization", "Bearer entra-token"]);
  expect(source.requests).toMatchObject([{ headers: { metadata: "true" } }]);
  const path = source.requests[0]?.path;
  expect(path).toMatch(
    /^\/metadata\/identity\/oauth2\/token\/?\?.*client_id=identity-of-the-machine/,
  );
});
