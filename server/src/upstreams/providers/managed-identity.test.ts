import { beforeAll, expect, vi } from "vitest";
import { foundryAccount, test } from "#test/harness/platform-test.ts";
import { startSource } from "#test/harness/platforms/credential-sources.ts";
import {
  officialHeaders,
  openPlatformClient,
} from "#test/harness/platforms/open-platform-client.ts";
import { recordCall } from "#test/harness/raw-upstream.ts";

// Microsoft's library keeps its source of managed identities for the whole process, so this source has its own file.

// The first import takes seconds on a busy machine, and counts to the wait for credentials.
beforeAll(() => import("@azure/identity"));

test("Foundry uses the managed identity of a virtual machine that the environment names", async ({
  foundry,
}) => {
  const source = await startSource(() => ({
    body: {
      access_token: foundryAccount.token,
      expires_in: "3600",
      resource: "https://ai.azure.com",
      token_type: "Bearer",
    },
  }));
  vi.stubEnv("AZURE_POD_IDENTITY_AUTHORITY_HOST", source.origin);
  vi.stubEnv("AZURE_CLIENT_ID", "identity-of-the-machine");
  const client = openPlatformClient({
    settings: {
      provider: "foundry",
      resource: "test-resource",
      authentication: "machine",
      model_names: { "claude-sonnet-4-6": "sonnet-deployment" },
    },
    origin: foundry.origin,
    isMachineAllowed: true,
  });
  const body = Buffer.from(
    JSON.stringify({ model: "claude-sonnet-4-6", max_tokens: 1, messages: [] }),
  );
  const { statuses } = await recordCall(client, { headers: officialHeaders(), body });
  expect(statuses).toEqual([200]);
  expect(source.requests).toMatchObject([{ headers: { metadata: "true" } }]);
  const path = source.requests[0]?.path;
  expect(path).toMatch(
    /^\/metadata\/identity\/oauth2\/token\/?\?.*client_id=identity-of-the-machine/,
  );
  vi.unstubAllEnvs();
});
