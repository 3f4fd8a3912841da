import { test as base } from "vitest";
import { findSignatureFault } from "./platforms/aws-signature.ts";
import { startBedrockPlatform } from "./platforms/bedrock-platform.ts";
import { findKeyFault, startMessagesPlatform } from "./platforms/messages-platform.ts";
import { startVertexPlatform } from "./platforms/vertex-platform.ts";

export const awsKey = {
  id: "AKIDEXAMPLE1234567890",
  secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
export const temporaryAwsKey = {
  id: "ASIAEXAMPLE1234567890",
  secret: "temporary+secret/key",
  sessionToken: "token/of=session",
};
export const bedrockApiKey = "bedrock-api-key-1";

/** Account of tests in `eu-central-1`. */
export const bedrockAccount = {
  keys: [awsKey, temporaryAwsKey],
  apiKeys: [bedrockApiKey],
  region: "eu-central-1",
};

/** Credential of an upstream with this key. */
export function toAwsCredential({
  id,
  secret,
  sessionToken,
}: {
  id: string;
  secret: string;
  sessionToken?: string;
}) {
  return JSON.stringify({
    access_key_id: id,
    secret_access_key: secret,
    ...(sessionToken !== undefined && { session_token: sessionToken }),
  });
}

export const foundryAccount = { apiKey: "foundry-api-key-1", token: "entra-token" };

/** Tests with platforms of their own. */
export const test = base
  .extend("bedrock", async ({}, { onCleanup }) => {
    const platform = await startBedrockPlatform(bedrockAccount);
    onCleanup(() => platform.close());
    return platform;
  })
  .extend("vertex", async ({}, { onCleanup }) => {
    const platform = await startVertexPlatform({
      project: "test-project",
      location: "europe-west1",
    });
    onCleanup(() => platform.close());
    return platform;
  })
  .extend("foundry", async ({}, { onCleanup }) => {
    const platform = await startMessagesPlatform({
      deployments: ["sonnet-deployment", "claude-opus-5-5"],
      findCredentialFault: (received) => findKeyFault(received, foundryAccount),
    });
    onCleanup(() => platform.close());
    return platform;
  })
  .extend("mantlePlatform", async ({}, { onCleanup }) => {
    const { keys, region } = bedrockAccount;
    const platform = await startMessagesPlatform({
      deployments: ["anthropic.claude-opus-5-5", "anthropic.claude-haiku-4-5"],
      findCredentialFault: (received) =>
        findSignatureFault(received, {
          keys,
          region,
          service: "bedrock-mantle",
          nowMs: Date.now(),
        }),
    });
    onCleanup(() => platform.close());
    return platform;
  });
