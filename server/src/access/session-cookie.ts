import { hash } from "node:crypto";

// The cookie of a signed-in browser. On https its name begins with `__Host-`: such a cookie can only be set by the host
// itself, over TLS, so that no neighbouring subdomain can plant one. On plain http (loopback) browsers refuse that name.

export const secureSessionCookie = "__Host-bursar_session";
export const plainSessionCookie = "bursar_session";

const MAX_COOKIES = 100;

/** The value of the cookie in a `Cookie` header as it was set, or null. Of two with one name the first counts. */
export function readCookie(header: string, name: string): string | null {
  for (const part of header.split(";", MAX_COOKIES)) {
    const at = part.indexOf("=");
    if (at === -1 || part.slice(0, at).trim() !== name) continue;
    try {
      return decodeURIComponent(part.slice(at + 1).trim());
    } catch {
      return null; // not what this server has set
    }
  }
  return null;
}

/** What the table keeps of a session's token. The cookie's name is part of it: sent under the other name it is unknown. */
export function hashSessionToken(cookieName: string, token: string): string {
  return hash("sha256", `${cookieName}=${token}`, "hex");
}

/** The hashes that the cookies of a `Cookie` header are looked up by: none, one, or one for each name. */
export function sessionTokenHashes(header: string): string[] {
  const hashes: string[] = [];
  for (const name of [secureSessionCookie, plainSessionCookie]) {
    // The token ends where its signature begins; 256 bits of hash make up for not looking at that.
    const [token] = (readCookie(header, name) ?? "").split(".");
    if (token) hashes.push(hashSessionToken(name, token));
  }
  return hashes;
}

/** The `Cookie` header without the cookies of sessions. */
export function withoutSessionCookies(header: string): string {
  const names: readonly string[] = [secureSessionCookie, plainSessionCookie];
  return header
    .split(";")
    .filter((part) => !names.includes(part.split("=", 1)[0]?.trim() ?? ""))
    .join(";");
}
