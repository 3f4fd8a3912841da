import { type ClientOptions, makeClient, makeObjectClient } from "./make-client.ts";
import type { Upstream } from "./upstream.ts";
import { UpstreamHealth } from "./upstream-health.ts";

export const ANTHROPIC_BASE_URL = "https://api.anthropic.com";

export interface AnthropicOptions extends ClientOptions {
  baseUrl: string;
  credential: string | null;
  source: "environment" | "stored";
  /** Id of the stored upstream, or `environment`. */
  id: string;
}

/** Creates the client without a connection. Throws an Error that explains an invalid base URL. */
export function makeAnthropicUpstream(options: AnthropicOptions): Upstream {
  const { id, baseUrl, credential, source, ...clientOptions } = options;
  const url = checkBaseUrl(baseUrl);
  return {
    id,
    kind: "anthropic",
    describe: { origin: url.origin, source },
    client: makeClient({ origin: url.origin }, clientOptions),
    objects: makeObjectClient({ origin: url.origin }, clientOptions),
    basePath: url.pathname.replace(/\/+$/, ""),
    credential,
    testModel: null,
    priceTerms: null,
    health: new UpstreamHealth(),
  };
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
