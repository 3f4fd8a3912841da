import { plainSessionCookie, secureSessionCookie } from "#src/access/session-cookie.ts";

/** One address under which people see this server. Cookies and passkeys belong to it. */
export interface Site {
  /** `https://bursar.example.com`, without a path. */
  origin: string;
  isSecure: boolean;
  /** What passkeys are bound to: the host without its port. */
  hostname: string;
}

/** The site of a URL, or null where it is none. */
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

/** Names of the other cookies begin with it. */
export function cookiePrefixOf(site: Site): string {
  return site.isSecure ? "__Host-bursar" : "bursar";
}
