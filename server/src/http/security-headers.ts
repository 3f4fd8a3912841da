/** Headers of every response. No response may be framed or interpreted as another type. */
export const securityHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  // Responses can contain a secret that is shown once.
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

const YEAR_S = 31_536_000;
/** Browsers apply the header to all ports of a name, and so to other servers on this machine. */
const LOCALHOST = /^localhost(:\d*)?$/i;

/** Headers of a response over TLS. Browsers then refuse unencrypted connections to this name for a year. */
export function transportHeaders(host: string | undefined): Record<string, string> {
  if (host !== undefined && LOCALHOST.test(host)) return {};
  return { "strict-transport-security": `max-age=${YEAR_S}` };
}

const noFrames = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Policy of the plain page: its own styles and its icon only. */
export const plainPolicy = `default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; ${noFrames}`;

/** Policy of the console: files of this server only, without inline scripts or styles. */
export const consolePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  `connect-src 'self'; ${noFrames}`;
