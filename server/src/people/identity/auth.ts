import type { AuthDeps, AuthRequest } from "./auth-settings.ts";

// better-auth handles identity only: passwords, second factors, passkeys and session tokens. Each request creates one
// (0.5 ms), bound to the request's transaction and site. Its writes commit with the audit event of the use case. None
// of its routes is mounted. The first request that needs better-auth loads it, which takes 0.3 s of CPU time.

export type Auth = Awaited<ReturnType<typeof makeAuth>>;

/**
 * Loads better-auth, before a transaction that needs it. Otherwise the transaction waits with its locks, and PostgreSQL ends
 * it after 5 s on a busy machine.
 */
export async function loadAuth(): Promise<void> {
  await import("./configure-auth.ts");
}

export async function makeAuth(deps: AuthDeps, request: AuthRequest) {
  const { configureAuth } = await import("./configure-auth.ts");
  return configureAuth(deps, request);
}
