import { type buildConnector, Pool } from "undici";
import type { Upstream } from "./upstream.ts";

export const ANTHROPIC_BASE_URL = "https://api.anthropic.com";

// If both sides close an idle socket at once, a request is lost: it may have been processed, so it is not retried. The
// value is below the idle limit of common servers and proxies (60 s and more). A shorter limit in the upstream's
// `keep-alive` header has priority, less two seconds.
const KEEP_ALIVE_MS = 30_000;
const KEEP_ALIVE_MAX_MS = 60_000;
export const CONNECT_TIMEOUT_MS = 10_000;

export interface AnthropicOptions {
  baseUrl: string;
  credential: string | null;
  source: "environment" | "stored";
  /** Maximum silence before the response's headers and between its bytes, milliseconds. */
  idleTimeoutMs: number;
}

/** Creates the pool without a connection. Throws an Error that explains an invalid base URL. */
export function makeAnthropicUpstream(options: AnthropicOptions): Upstream {
  const url = checkBaseUrl(options.baseUrl);
  return {
    kind: "anthropic",
    describe: { origin: url.origin, source: options.source },
    pool: makePool(url.origin, options.idleTimeoutMs),
    basePath: url.pathname.replace(/\/+$/, ""),
    credential: options.credential,
  };
}

/**
 * Creates a pool for HTTP/1.1 with one request per connection. So a stalled stream delays no other request, and an abort
 * ends one request only. `connect` replaces the connection to the origin.
 */
export function makePool(
  origin: string,
  idleTimeoutMs: number,
  connect?: buildConnector.connector,
): Pool {
  return new Pool(origin, {
    // Unlimited, because the gateway bounds running requests. Time in a queue here would count as silence.
    connections: null,
    pipelining: 1,
    allowH2: false,
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    ...(connect === undefined ? {} : { connect }),
  });
}

function checkBaseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new Error("the upstream's base URL is not an http or https URL");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new Error("the upstream's base URL must not contain user, password, query or fragment");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new Error(
      `the upstream ${url.origin} is not HTTPS: its credential and all prompts would be sent unencrypted`,
    );
  }
  if (/\/v1\/*$/.test(url.pathname)) {
    throw new Error(
      "the upstream's base URL must not end in /v1: paths such as /v1/messages are appended to it",
    );
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
