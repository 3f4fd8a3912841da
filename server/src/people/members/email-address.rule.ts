import { emailDomain, emailLocalPart, MAX_EMAIL_LENGTH } from "@bursar/contract/fields.ts";

// An address in the one spelling under which it is kept and compared: lower case, the domain as ASCII.

export type EmailAddress = { kind: "address"; email: string } | { kind: "invalid"; reason: string };

const MAX_LOCAL_LENGTH = 64;
const LOCAL = new RegExp(`^${emailLocalPart.source}$`);
const DOMAIN = new RegExp(`^${emailDomain.source}$`);

const EXAMPLE = "expected an address such as ann@example.com";

/**
 * Reads an address as somebody wrote it. Stricter than the standard, which also knows quoted names and addresses without
 * a domain: what passes here can be mailed, holds nothing that a mail header could be misread by, and is one person's
 * whatever its case. Letters outside ASCII may stand in the domain (as `xn--…`) and not before the @: few servers take
 * those, and they are easily taken for others.
 */
export function readEmailAddress(written: string): EmailAddress {
  const text = written.normalize("NFC").trim().toLowerCase();
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  const domain = toAsciiDomain(text.slice(at + 1));
  if (at < 1 || domain === null) return { kind: "invalid", reason: EXAMPLE };
  if (!LOCAL.test(local)) {
    const isForeign = /[^\p{ASCII}]/u.test(local) && !/[\s@]/u.test(local);
    const reason = isForeign ? "only ASCII characters can stand before the @" : EXAMPLE;
    return { kind: "invalid", reason };
  }
  const email = `${local}@${domain}`;
  if (local.length > MAX_LOCAL_LENGTH || email.length > MAX_EMAIL_LENGTH) {
    return { kind: "invalid", reason: "the address is longer than an address can be" };
  }
  return { kind: "address", email };
}

/** `münchen.de` → `xn--mnchen-3ya.de`; null for what is no domain name. */
function toAsciiDomain(domain: string): string | null {
  // What a URL would take for something else than a part of its host.
  if (/[\s\p{Cc}/\\?#@:%[\]]/u.test(domain)) return null;
  const url = URL.parse(`http://${domain}`);
  const host = url?.hostname ?? "";
  return DOMAIN.test(host) ? host : null;
}
