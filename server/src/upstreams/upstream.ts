import type { Pool } from "undici";

/** API that answers Claude requests, with its connection pool. */
export interface Upstream {
  kind: "anthropic" | "simulator";
  describe: UpstreamDescription;
  pool: Pool;
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
