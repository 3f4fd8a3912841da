import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Browser } from "#src/access/call.ts";
import { readCookie } from "#src/access/session-cookie.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import { cookiePrefixOf, type Site } from "#src/people/identity/site.ts";

// One random token, in a cookie of the browser, holds a sign-in together. State, nonce and code verifier are derived from it,
// and the database has only its hash. So neither the database nor the provider can complete the sign-in of a browser.

const TOKEN_BYTES = 32;
/** Time for the sign-in at the provider. */
export const PENDING_MS = 10 * 60_000;

export function makePendingToken(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(TOKEN_BYTES)).toString("base64url");
}

export interface DerivedValues {
  state: string;
  nonce: string;
  /** Code verifier of PKCE. */
  verifier: string;
  /** Code challenge, S256. */
  challenge: string;
}

export function deriveValues(token: string): DerivedValues {
  const derive = (label: string) =>
    createHmac("sha256", token).update(`bursar directory ${label}`).digest("base64url");
  const verifier = derive("verifier");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  return { state: derive("state"), nonce: derive("nonce"), verifier, challenge };
}

export function isSameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

export function readPendingToken(browser: Browser, site: Site): string | null {
  return readCookie(browser.cookies, cookieNameOf(site));
}

/** Line for `Set-Cookie`. Null: deletes the cookie. */
export function formatPendingCookie(site: Site, token: string | null): string {
  const seconds = token === null ? 0 : PENDING_MS / 1000;
  const attributes = ["Path=/", `Max-Age=${seconds}`, "HttpOnly", "SameSite=Strict"];
  if (site.isSecure) attributes.push("Secure");
  return [`${cookieNameOf(site)}=${token ?? ""}`, ...attributes].join("; ");
}

function cookieNameOf(site: Site): string {
  return `${cookiePrefixOf(site)}_directory`;
}
