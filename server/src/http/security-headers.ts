/** On every answer. JSON is never a document, and nothing of this server may be framed or sniffed into another type. */
export const securityHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  // Answers can hold a secret that is shown once.
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

const noFrames = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The plain page: its own style sheet, its icon, and nothing else. */
export const plainPolicy = `default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; ${noFrames}`;

/** The reference page: scripts of this server only; it writes its styles itself. */
export const referencePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  `font-src 'self' data:; connect-src 'self'; ${noFrames}`;

/** The console: files of this server only, nothing written into the page by a script or a style that is not one of them. */
export const consolePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  `connect-src 'self'; ${noFrames}`;
