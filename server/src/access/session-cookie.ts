import { hash } from "node:crypto";

// Cookie of a session. On https its name begins with `__Host-`, which only the host itself can set, over TLS, so other
// subdomains cannot set it. On plain http (loopback) browsers refuse that name.

export const secureSessionCookie = "__Host-bursar_session";
export const plainSessionCookie = "bursar_session";

const MAX_COOKIES = 100;

/** Value of a cookie in a `Cookie` header, or null. The first of two with one name counts. */
export function readCookie(header: string, name: string): string | null {
  for (const part of header.split(";", MAX_COOKIES)) {
    const at = part.indexOf("=");
    if (at === -1 || part.slice(0, at).trim() !== name) continue;
    try {
      return decodeURIComponent(part.slice(at + 1).trim());
    } catch {
      return null; // not a value of this server
    }
  }
  return null;
}

/** Stored hash of a session token. The cookie's name is included, so the token is unknown under the other name. */
export function hashSessionToken(cookieName: string, token: string): string {
  return hash("sha256", `${cookieName}=${token}`, "hex");
}

/** Hashes of the session cookies in a `Cookie` header, at most one for each name. */
export function sessionTokenHashes(header: string): string[] {
  const hashes: string[] = [];
  for (const name of [secureSessionCookie, plainSessionCookie]) {
    // The token ends at its signature. The hash of 256 bits makes checking the signature unnecessary.
    const [token] = (readCookie(header, name) ?? "").split(".");
    if (token) hashes.push(hashSessionToken(name, token));
  }
  return hashes;
}

/** Removes session cookies from a `Cookie` header. */
export function withoutSessionCookies(header: string): string {
  const names: readonly string[] = [secureSessionCookie, plainSessionCookie];
  return header
    .split(";")
    .filter((part) => !names.includes(part.split("=", 1)[0]?.trim() ?? ""))
    .join(";");
}
