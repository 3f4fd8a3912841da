import type { HttpClient } from "#src/lib/http-client.ts";

/** API that answers Claude requests, with its client. */
export interface Upstream {
  kind: "anthropic" | "simulator";
  describe: UpstreamDescription;
  client: HttpClient;
  /** Path of the base URL without a trailing slash, or "". Request paths are appended to it. */
  basePath: string;
  /** Value of `x-api-key`, never logged. Null: the upstream needs none. */
  credential: string | null;
}

/** Facts about an upstream without secrets, for screens and logs. */
export interface UpstreamDescription {
  origin: string;
  source: "environment" | "stored" | "simulator";
}
