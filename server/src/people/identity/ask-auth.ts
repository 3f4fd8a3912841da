import type { Browser } from "#src/access/call.ts";
import { withoutSessionCookies } from "#src/access/session-cookie.ts";
import { assert } from "#src/lib/assert.ts";
import { type Site, siteOf } from "./site.ts";

/** The site that a change comes from: its `Origin` has been checked to be one of this server's own. */
export function siteOfChange(browser: Browser): Site {
  const site = siteOf(browser.origin ?? "");
  assert(site, "a change from a browser names its origin");
  return site;
}

/** What better-auth sees of a request of somebody who is signed in: its cookies. */
export function headersOf(browser: Browser): Headers {
  return new Headers({ cookie: browser.cookies });
}

/**
 * The same of somebody who is about to sign in. A session that the browser still has must not count: better-auth would
 * take a code for a question of that session, and ask for no waiting sign-in.
 */
export function headersOfStranger(browser: Browser): Headers {
  return new Headers({ cookie: withoutSessionCookies(browser.cookies) });
}
