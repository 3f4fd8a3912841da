import type { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Returns a base URL as it is stored: origin and path, without a trailing slash. Throws a 400 for a URL that is
 * unencrypted, contains credentials, or has a query, fragment or version.
 */
export function parseUpstreamUrl(text: string): string {
  if (!URL.canParse(text)) {
    throw refuseUrl("expected a URL such as https://api.anthropic.com");
  }
  const url = new URL(text);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK.test(url.hostname))) {
    throw refuseUrl("expected an https URL, or http on a loopback address");
  }
  if (url.username !== "" || url.password !== "") {
    throw refuseUrl("expected no user name and password: send the credential in its own field");
  }
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(text)) {
    throw refuseUrl("expected no query and no fragment");
  }
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/v1")) {
    throw refuseUrl("expected a URL without /v1, because paths such as /v1/messages are added");
  }
  return url.origin + path;
}

/**
 * Seal context of a stored credential (lib/seal.ts): its row and origin. In another row or with another origin it cannot
 * be decrypted.
 */
export function upstreamSealContext(upstreamId: string, baseUrl: string): string {
  return `upstream:${upstreamId}:${new URL(baseUrl).origin}`;
}

/** Seal context of the extra headers of an upstream: its row and origin. */
export function headersSealContext(upstreamId: string, baseUrl: string): string {
  return `upstream-headers:${upstreamId}:${new URL(baseUrl).origin}`;
}

/** Seal context of the user and password of a proxy: the row of the upstream and the origin of the proxy. */
export function proxySealContext(upstreamId: string, proxyUrl: string): string {
  return `upstream-proxy:${upstreamId}:${new URL(proxyUrl).origin}`;
}

const MIN_LENGTH_WITH_HINT = 24;

/** Short form that identifies a credential. Null for a short credential, which a hint would reveal. */
export function formatCredentialHint(credential: string): string | null {
  if (credential.length < MIN_LENGTH_WITH_HINT) return null;
  return `${credential.slice(0, 10)}...${credential.slice(-4)}`;
}

function refuseUrl(reason: string): ApiError {
  return refuseField("base_url", `${reason}.`);
}
