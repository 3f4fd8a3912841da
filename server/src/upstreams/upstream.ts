import type { Provider } from "@bursar/contract/admin/provider-settings.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { PlatformTerms } from "#src/domain/platform-prices.ts";
import type { HttpClient, StreamedClient } from "#src/lib/http-client.ts";
import type { UpstreamHealth } from "./upstream-health.ts";

/** API of an upstream. The simulator is no provider. */
export type UpstreamKind = "anthropic" | "simulator" | Provider;

/** API that answers Claude requests, with its client. */
export interface Upstream {
  /** Id of the stored upstream, `environment` or `simulator`. */
  id: string;
  kind: UpstreamKind;
  describe: UpstreamDescription;
  client: HttpClient;
  /** Client for files, skills and message batches. Null: the upstream stores none. */
  objects: StreamedClient | null;
  /** Path of the base URL without a trailing slash, or "". Request paths are appended to it. */
  basePath: string;
  /** Value of `x-api-key`, never logged. Null: the upstream needs none. */
  credential: string | null;
  /** Model whose tokens a test counts, because the platform lists no models. Null: a test lists models. */
  testModel: string | null;
  /** Facts that decide its prices. Null: those of the Claude API. */
  priceTerms: PlatformTerms | null;
  /** Circuit breaker of this node. */
  health: UpstreamHealth;
}

/** True if the upstream has message batches. Foundry stores files and skills alone. */
export function hasBatches({ kind, objects }: Pick<Upstream, "kind" | "objects">): boolean {
  return objects !== null && kind !== "foundry";
}

const platformNames: Record<Provider, string> = {
  bedrock: "Amazon Bedrock",
  vertex: "Google Vertex AI",
  foundry: "Microsoft Foundry",
};

/** The refusal of objects that no upstream of a workspace stores. `kind`: its first upstream. */
export function makeLackedObjectsError(
  kind: UpstreamKind,
  feature: "files" | "skills" | "message_batches",
): ApiError {
  const objects = feature.replace("_", " ");
  if (kind === "anthropic" || kind === "simulator") {
    return new ApiError("upstream_unusable", `No upstream of this workspace has ${objects}.`);
  }
  return new ApiError(
    "provider_unsupported",
    `${platformNames[kind]}, which serves this workspace, has no ${objects}. Use a workspace with an upstream that has them.`,
    {},
    { provider: kind, feature },
  );
}

/** Upstreams of a workspace in the order in which they are tried. */
export type UpstreamOrder = readonly [Upstream, ...Upstream[]];

/** The upstreams that a request can use. */
export interface UpstreamChoice {
  /** Returns the order of a workspace, from memory. Throws `ApiError("upstream_unusable")` if no upstream can be used. */
  forWorkspace(organizationId: string, workspaceId: string): UpstreamOrder;
  /** Finds an upstream by its id, also one that is in no order. Null: unknown or unusable. */
  find(organizationId: string, id: string): Upstream | null;
}

/** Facts about an upstream without secrets, for screens and logs. */
export interface UpstreamDescription {
  origin: string;
  source: "environment" | "stored" | "simulator";
}
