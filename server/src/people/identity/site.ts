import { plainSessionCookie, secureSessionCookie } from "#src/access/session-cookie.ts";

/** An origin under which browsers reach this server. Cookies and passkeys belong to it. */
export interface Site {
  /** `https://bursar.example.com`, without a path. */
  origin: string;
  isSecure: boolean;
  /** Host without port. Passkeys are bound to it. */
  hostname: string;
}

/** The site of a URL, or null for an invalid one. */
export function siteOf(url: string): Site | null {
  const parsed = URL.parse(url);
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol)) return null;
  return {
    origin: parsed.origin,
    isSecure: parsed.protocol === "https:",
    hostname: parsed.hostname,
  };
}

export function sessionCookieOf(site: Site): string {
  return site.isSecure ? secureSessionCookie : plainSessionCookie;
}

/** Prefix of the names of all other cookies. */
export function cookiePrefixOf(site: Site): string {
  return site.isSecure ? "__Host-bursar" : "bursar";
}
