import type { Provider } from "@bursar/contract/admin/provider-settings.ts";
import type { ScannedBody } from "#src/domain/edit-body.ts";
import { unsupported } from "./official-request.ts";

// Features of the Claude API that a platform lacks, and values of `anthropic-beta` that it knows. Sources: the platforms'
// pages under https://platform.claude.com/docs/en/build-with-claude (October 2026). A platform refuses later features itself.

interface PlatformFeatures {
  /** Top-level fields that the platform lacks. */
  lackedFields: ReadonlySet<string>;
  /** First parts of the types of server tools that the platform lacks. */
  lackedTools: readonly string[];
  /** Known values of `anthropic-beta`. Others are not sent, because the platform refuses a request with one. Null: all. */
  betas: ReadonlySet<string> | null;
}

/** Features of the Claude API that need Anthropic's own servers. */
const ownFields = [
  "container",
  "mcp_servers",
  "thread",
  "inference_geo",
  "speed",
  "service_tier",
  "fallbacks",
  "billing_policy",
];
/** Tools that no platform has. The beta versions of computer use are others, and available. */
const firstPartyTools = ["advisor_", "computer_toolset_", "browser_toolset_"];
const ownTools = [...firstPartyTools, "code_execution_", "web_fetch_", "mcp_toolset"];

const cloudBetas = [
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "token-efficient-tools-2025-02-19",
  "output-128k-2025-02-19",
  "dev-full-thinking-2025-05-14",
  "interleaved-thinking-2025-05-14",
  "fine-grained-tool-streaming-2025-05-14",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "effort-2025-11-24",
  "tool-search-tool-2025-10-19",
  "tool-examples-2025-10-29",
  "compact-2026-01-12",
  // Claude Code sends this one to Bedrock and Vertex AI.
  "thinking-token-count-2026-05-13",
  "fallback-credit-2026-06-01",
  "fallback-credit-2026-07-01",
];

const features: Readonly<Record<Provider, PlatformFeatures>> = {
  bedrock: {
    lackedFields: new Set(ownFields),
    lackedTools: [...ownTools, "web_search_"],
    betas: new Set(cloudBetas),
  },
  vertex: {
    lackedFields: new Set(ownFields),
    lackedTools: ownTools,
    betas: new Set([...cloudBetas, "web-search-2025-03-05"]),
  },
  foundry: {
    lackedFields: new Set(["speed", "inference_geo", "service_tier", "fallbacks"]),
    lackedTools: firstPartyTools,
    betas: null,
  },
};

/** Values of these fields that every platform serves, so that the field is removed. */
const neutralValues: Readonly<Record<string, readonly string[]>> = {
  service_tier: ['"auto"', '"standard_only"', "null"],
  speed: ['"standard"', "null"],
  container: ["null"],
  inference_geo: ["null", '"global"'],
  mcp_servers: ["null", "[]"],
  thread: ["null"],
  fallbacks: ["null", "[]"],
  billing_policy: ["null"],
};

/**
 * Checks the features of a body. Returns the fields to be removed: those with a value that means the same on the platform.
 * Throws a refusal that names the first feature that the platform lacks.
 */
export function checkFeatures(
  platform: { provider: Provider; name: string },
  { body, members, toolTypes }: ScannedBody,
): Set<string> {
  const { lackedFields, lackedTools } = features[platform.provider];
  const removed = new Set<string>();
  for (const { key, valueStart, end } of members) {
    if (!lackedFields.has(key)) continue;
    const isShort = end - valueStart <= MAX_NEUTRAL_BYTES;
    const value = isShort ? body.toString("utf8", valueStart, end) : "";
    if (neutralValues[key]?.includes(value) !== true) throw unsupported(platform, key);
    removed.add(key);
  }
  for (const type of toolTypes) {
    if (lackedTools.some((start) => type.startsWith(start))) {
      throw unsupported(platform, `tools (${type})`);
    }
  }
  return removed;
}

const MAX_NEUTRAL_BYTES = 20;

/** Returns the betas that the platform knows, or that its settings name, without repetition. */
export function choosePassedBetas(
  provider: Provider,
  sent: readonly string[],
  named: readonly string[],
): string[] {
  const { betas } = features[provider];
  return [...new Set(sent)].filter(
    (beta) => betas === null || betas.has(beta) || named.includes(beta),
  );
}
