import { test as base } from "vitest";
import { startBedrockPlatform } from "./platforms/bedrock-platform.ts";

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

/** Tests with a platform each. */
export const test = base.extend("bedrock", async ({}, { onCleanup }) => {
  const platform = await startBedrockPlatform(bedrockAccount);
  onCleanup(() => platform.close());
  return platform;
});
