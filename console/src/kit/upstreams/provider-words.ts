import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";

export const providerWords: Record<UpstreamProvider, string> = {
  anthropic: "Anthropic",
  bedrock: "Amazon Bedrock",
  vertex: "Google Vertex AI",
  foundry: "Microsoft Foundry",
};
