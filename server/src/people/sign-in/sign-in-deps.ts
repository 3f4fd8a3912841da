import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Background } from "#src/lib/background.ts";
import type { AuthDeps } from "#src/people/identity/auth-settings.ts";

export interface SignInDeps extends AuditDeps, AuthDeps {
  sealingKey: Buffer;
  /** Public address of the console, for links in messages. Never read from a request. */
  publicUrl: () => string;
  /** Origin of `BURSAR_PUBLIC_URL`. Null: not set. */
  publicOrigin: string | null;
  /** Runs work after the response, so that response times reveal nothing. */
  background: Background;
}
