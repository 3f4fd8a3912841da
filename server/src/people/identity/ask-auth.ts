import type { Browser } from "#src/access/call.ts";
import { withoutSessionCookies } from "#src/access/session-cookie.ts";
import { assert } from "#src/lib/assert.ts";
import { type Site, siteOf } from "./site.ts";

/** The site of a change. Its `Origin` was already checked to be this server's own. */
export function siteOfChange(browser: Browser): Site {
  const site = siteOf(browser.origin ?? "");
  assert(site, "a change from a browser names its origin");
  return site;
}

/** Headers of a signed-in request that better-auth sees: its cookies. */
export function headersOf(browser: Browser): Headers {
  return new Headers({ cookie: browser.cookies });
}

/**
 * Headers of a request that is about to sign in, without the cookie of an existing session. With one, better-auth would
 * apply a code to that session instead of the pending sign-in.
 */
export function sessionlessHeadersOf(browser: Browser): Headers {
  return new Headers({ cookie: withoutSessionCookies(browser.cookies) });
}
