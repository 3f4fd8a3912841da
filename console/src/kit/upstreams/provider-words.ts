import type {
  BedrockSettings,
  FoundrySettings,
  VertexSettings,
} from "@bursar/contract/admin/provider-settings.ts";
import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";

export const providerWords: Record<UpstreamProvider, string> = {
  anthropic: "Anthropic",
  bedrock: "Amazon Bedrock",
  vertex: "Google Vertex AI",
  foundry: "Microsoft Foundry",
};

/** A provider that is not Anthropic itself. */
export type Platform = Exclude<UpstreamProvider, "anthropic">;
export type InferenceProfile = NonNullable<BedrockSettings["inference_profile"]>;
export type BedrockApi = NonNullable<BedrockSettings["api"]>;

export type Authentication =
  | BedrockSettings["authentication"]
  | VertexSettings["authentication"]
  | FoundrySettings["authentication"];

export const authenticationWords: Record<Authentication, string> = {
  access_key: "Access key",
  api_key: "API key",
  client_secret: "Client secret of Microsoft Entra",
  machine: "Credentials of the server’s machine",
  service_account: "Service account",
};

/** Ways to authenticate at each platform, the default first. */
export const authentications = {
  bedrock: ["access_key", "api_key", "machine"],
  vertex: ["service_account", "machine"],
  foundry: ["api_key", "client_secret", "machine"],
} as const satisfies Record<Platform, readonly Authentication[]>;

export const apiWords: Record<BedrockApi, string> = {
  invoke: "InvokeModel",
  messages: "Messages API (bedrock-mantle)",
};

export const profileWords: Record<InferenceProfile, string> = {
  global: "global",
  us: "us",
  eu: "eu",
  apac: "apac",
  jp: "jp",
  au: "au",
  "us-gov": "us-gov",
  none: "None: the region itself",
};
