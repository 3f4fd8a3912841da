import type { BrowserCall } from "#src/access/call.ts";
import { type Audit, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { siteOfChange } from "#src/people/identity/ask-auth.ts";
import { type Auth, loadAuth, makeAuth } from "#src/people/identity/auth.ts";
import type { AuthRequest } from "#src/people/identity/auth-settings.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

/** Settings of better-auth for one change. Default site: that of the call. */
type AuthOptions = Omit<AuthRequest, "tx" | "origin" | "site"> & Partial<Pick<AuthRequest, "site">>;

/** `auditedTransaction` for a change of the member's own account, with better-auth, which is loaded before it begins. */
export async function accountTransaction<Result>(
  deps: SignInDeps,
  call: BrowserCall,
  options: AuthOptions,
  work: (tx: Tx, auth: Auth) => Promise<{ result: Result; audit: Audit }>,
): Promise<Result> {
  const { browser, origin } = call;
  const site = options.site ?? siteOfChange(browser);
  await loadAuth();
  return auditedTransaction(deps, getMemberCaller(call), origin, async (tx) =>
    work(tx, await makeAuth(deps, { ...options, tx, site, origin })),
  );
}
