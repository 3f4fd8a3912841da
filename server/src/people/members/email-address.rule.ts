import { emailDomain, emailLocalPart, MAX_EMAIL_LENGTH } from "@bursar/contract/fields.ts";

// Addresses are stored and compared in one spelling: lower case, with the domain as ASCII.

export type EmailAddress = { kind: "address"; email: string } | { kind: "invalid"; reason: string };

const MAX_LOCAL_LENGTH = 64;
const LOCAL = new RegExp(`^${emailLocalPart.source}$`);
const DOMAIN = new RegExp(`^${emailDomain.source}$`);

const EXAMPLE = "expected an address such as ann@example.com";

/**
 * Normalizes a written address. The rules are stricter than the standard, which also knows quoted names and addresses
 * without a domain. A valid address can be mailed, cannot alter a mail header, and identifies one member in any case.
 * Letters outside ASCII are allowed in the domain (as `xn--…`) but not before the @. Few servers accept them there, and
 * they are easily confused.
 */
export function readEmailAddress(written: string): EmailAddress {
  const text = written.normalize("NFC").trim().toLowerCase();
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  const domain = toAsciiDomain(text.slice(at + 1));
  if (at < 1 || domain === null) return { kind: "invalid", reason: EXAMPLE };
  if (!LOCAL.test(local)) {
    const isForeign = /[^\p{ASCII}]/u.test(local) && !/[\s@]/u.test(local);
    const reason = isForeign ? "only ASCII characters are allowed before the @" : EXAMPLE;
    return { kind: "invalid", reason };
  }
  const email = `${local}@${domain}`;
  if (local.length > MAX_LOCAL_LENGTH || email.length > MAX_EMAIL_LENGTH) {
    return { kind: "invalid", reason: "the address is too long" };
  }
  return { kind: "address", email };
}

/** Converts `münchen.de` to `xn--mnchen-3ya.de`. Null for an invalid domain name. */
function toAsciiDomain(domain: string): string | null {
  // Characters that a URL parser would not read as part of the host.
  if (/[\s\p{Cc}/\\?#@:%[\]]/u.test(domain)) return null;
  const url = URL.parse(`http://${domain}`);
  const host = url?.hostname ?? "";
  return DOMAIN.test(host) ? host : null;
}

/** Returns the normalized address, to look for. An invalid one becomes empty, which no row has. */
export function normalizeEmail(written: string): string {
  const read = readEmailAddress(written);
  return read.kind === "address" ? read.email : "";
}
