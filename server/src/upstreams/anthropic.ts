import { type buildConnector, Pool } from "undici";
import type { Upstream } from "./upstream.ts";

export const ANTHROPIC_BASE_URL = "https://api.anthropic.com";

// A socket that both sides may close at the same moment is a request lost: it is not known whether it was processed, so
// it is not sent again. 30 s stays under the idle limits of common servers and proxies (60 s and more), and an upstream
// that announces a shorter one in `keep-alive` is obeyed, less two seconds.
const KEEP_ALIVE_MS = 30_000;
const KEEP_ALIVE_MAX_MS = 60_000;
export const CONNECT_TIMEOUT_MS = 10_000;

export interface AnthropicOptions {
  baseUrl: string;
  credential: string | null;
  source: "environment" | "stored";
  /** Longest silence, before the response's headers and between its bytes, milliseconds. */
  idleTimeoutMs: number;
}

/** Opens no connection yet. Throws an Error that says what is wrong with the base URL. */
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
 * HTTP/1.1 and one request a connection: a stalled stream delays no other one, and an abort ends only its own. `connect`
 * opens connections in another way than by the origin's name.
 */
export function makePool(
  origin: string,
  idleTimeoutMs: number,
  connect?: buildConnector.connector,
): Pool {
  return new Pool(origin, {
    // Unlimited: the gateway bounds the requests that run, and a queue here would count as the upstream's silence.
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
    throw new Error("the upstream's base URL may hold no user, password, query or fragment");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new Error(
      `the upstream ${url.origin} is not HTTPS: its credential and every prompt would cross the network in the clear`,
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
