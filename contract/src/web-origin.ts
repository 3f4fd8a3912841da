const OTHER_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._-]+(?::[0-9]{1,5})?$/;

/**
 * True for `*`, and for an origin as browsers send it: without a path, and without the usual port. Extensions and apps have
 * schemes of their own.
 */
export function isOrigin(text: string): boolean {
  if (text === "*") return true;
  if (!/^https?:/.test(text)) return OTHER_ORIGIN.test(text);
  return !text.includes("*") && URL.canParse(text) && new URL(text).origin === text;
}
