import type { Pool } from "undici";

/** Where Claude is really called. */
export interface Upstream {
  kind: "anthropic" | "simulator";
  describe: UpstreamDescription;
  pool: Pool;
  /** Path of the base URL without a slash at its end, "" for none: request paths are appended to it. */
  basePath: string;
  /** Sent as `x-api-key`, or null where the upstream takes none. Never logged. */
  credential: string | null;
}

/** What may be shown to people. */
export interface UpstreamDescription {
  origin: string;
  source: "environment" | "stored" | "simulator";
}
