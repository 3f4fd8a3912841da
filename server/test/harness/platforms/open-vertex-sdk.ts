import { createRequire } from "node:module";
import { AnthropicVertex } from "@anthropic-ai/vertex-sdk";

// The SDK has an own version of Google's library, whose types differ from those of this repository.
const requireOfSdk = createRequire(
  createRequire(import.meta.url).resolve("@anthropic-ai/vertex-sdk"),
);

/** Opens Anthropic's client for Vertex AI with an access token. */
export function openVertexSdk({ baseURL, accessToken }: { baseURL: string; accessToken: string }) {
  const { OAuth2Client } = requireOfSdk("google-auth-library");
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: accessToken });
  return new AnthropicVertex({
    baseURL,
    region: "europe-west1",
    projectId: "test-project",
    authClient,
    defaultHeaders: { "anthropic-version": "vertex-2023-10-16" },
  });
}
