import type {
  BedrockSettings,
  ProviderSettings,
} from "@bursar/contract/admin/provider-settings.ts";
import { expect, test } from "vitest";
import { toPlatformTerms } from "./price-terms.ts";

const bedrock: BedrockSettings = {
  provider: "bedrock",
  region: "eu-central-1",
  authentication: "access_key",
};
const arn = "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x";

test.each<[string, ProviderSettings, boolean]>([
  ["the geography of a region", bedrock, true],
  ["a region alone", { ...bedrock, inference_profile: "none" }, true],
  ["the global profile", { ...bedrock, inference_profile: "global" }, false],
  [
    "a global name in a region",
    { ...bedrock, model_names: { "claude-opus-5-5": "global.anthropic.claude-opus-5-5" } },
    false,
  ],
  [
    "a name of a geography beside the global profile",
    {
      ...bedrock,
      inference_profile: "global",
      model_names: { "claude-opus-5-5": "us.anthropic.claude-opus-5-5" },
    },
    true,
  ],
  ["an ARN in a region", { ...bedrock, model_names: { "claude-opus-5-5": arn } }, true],
  [
    "an ARN beside the global profile",
    { ...bedrock, inference_profile: "global", model_names: { "claude-opus-5-5": arn } },
    false,
  ],
  ["a region of Vertex AI", vertexIn("europe-west1"), true],
  ["a geography of Vertex AI", vertexIn("eu"), true],
  ["the global endpoint of Vertex AI", vertexIn("global"), false],
  ["a global deployment of Foundry", foundry(false), false],
  ["a deployment in a data zone of Foundry", foundry(true), true],
])("%s has a regional price: %#", (_, settings, isRegional) => {
  const terms = toPlatformTerms(settings);
  expect(terms.isRegional("claude-opus-5-5")).toBe(isRegional);
  // A hold for any model must cover the regional ones.
  expect(terms.hasRegional || !isRegional).toBe(true);
});

function vertexIn(region: string): ProviderSettings {
  return { provider: "vertex", region, project_id: "test", authentication: "service_account" };
}

function foundry(isDataZone: boolean): ProviderSettings {
  return {
    provider: "foundry",
    resource: "test",
    authentication: "api_key",
    is_us_data_zone: isDataZone,
  };
}
