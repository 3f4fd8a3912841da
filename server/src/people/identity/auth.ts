import type { AuthDeps, AuthRequest } from "./auth-settings.ts";

// better-auth, for identity alone: passwords, second factors, passkeys, the tokens of sessions. One is made for each
// request (0.5 ms), bound to the request's transaction and to the site it came to: what it writes commits with the audit
// event of the same use case, and its cookies and passkeys are those of that site. None of its own routes is mounted.
// The first request that needs better-auth loads it, which takes 0.3 s of processor time.

export type Auth = Awaited<ReturnType<typeof makeAuth>>;

export async function makeAuth(deps: AuthDeps, request: AuthRequest) {
  const { configureAuth } = await import("./configure-auth.ts");
  return configureAuth(deps, request);
}
