import type { HttpClient } from "#src/lib/http-client.ts";

// If both sides close an idle socket at once, a request is lost: it may have been processed, so it is not retried. The
// value is below the idle limit of common servers and proxies (60 s and more). A shorter limit in the upstream's
// `keep-alive` header has priority, less two seconds.
export const KEEP_ALIVE_MS = 30_000;
export const KEEP_ALIVE_MAX_MS = 60_000;
export const CONNECT_TIMEOUT_MS = 10_000;

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
