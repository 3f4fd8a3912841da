/** Finds the fault of an issuer, beyond those of every address, or null. Issuers are compared byte for byte. */
export function findIssuerMistake(text: string): string | null {
  const url = URL.parse(text);
  if (url === null) return "expected a URL such as https://login.example.com";
  if (url.search !== "" || /[?#]/.test(text)) return "expected no query and no fragment";
  if (text.includes("/.well-known/")) {
    return "expected the issuer, without /.well-known/openid-configuration";
  }
  if (/[{}]|%7B/i.test(text)) return "expected the id of your tenant instead of a placeholder";
  return null;
}

/** Address of the issuer's discovery document. */
export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** Path at which providers report logouts. The id of the directory follows. */
export const LOGOUT_PATH = "/v1/admin/directory_logout";

/** Path of the console that receives the provider's response. Each directory has its own, against mix-ups of providers. */
export function callbackPathOf(directoryId: string): string {
  return `/login/callback/${directoryId}`;
}
