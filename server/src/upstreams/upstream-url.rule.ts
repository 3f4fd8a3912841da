import type { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * A base URL as it is stored: origin and path, without a slash at the end. Throws a 400 for what would send a credential
 * in the clear, or to a place that the text does not show.
 */
export function parseUpstreamUrl(text: string): string {
  if (!URL.canParse(text)) {
    throw wrong("expected a URL such as https://api.anthropic.com");
  }
  const url = new URL(text);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK.test(url.hostname))) {
    throw wrong("expected an https URL, or http on a loopback address");
  }
  if (url.username !== "" || url.password !== "") {
    throw wrong("a user name and password do not belong into it: give the credential by itself");
  }
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(text)) {
    throw wrong("expected no query and no fragment");
  }
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/v1")) {
    throw wrong("expected it without /v1, since paths such as /v1/messages are added to it");
  }
  return url.origin + path;
}

/**
 * What a stored credential is sealed for (lib/seal.ts): the row and the origin it may be sent to. Moved to another row or
 * beside another origin it does not open.
 */
export function upstreamSealContext(upstreamId: string, baseUrl: string): string {
  return `upstream:${upstreamId}:${new URL(baseUrl).origin}`;
}

const HINT_FROM_LENGTH = 24;

/** Enough of a credential to recognise it by, or null for one so short that this would give it away. */
export function credentialHint(credential: string): string | null {
  if (credential.length < HINT_FROM_LENGTH) return null;
  return `${credential.slice(0, 10)}...${credential.slice(-4)}`;
}

function wrong(why: string): ApiError {
  return refuseField("base_url", `${why}.`);
}
