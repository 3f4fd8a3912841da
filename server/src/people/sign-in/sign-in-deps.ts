import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Background } from "#src/lib/background.ts";
import type { AuthDeps } from "#src/people/identity/auth-settings.ts";

export interface SignInDeps extends AuditDeps, AuthDeps {
  sealingKey: Buffer;
  /** Where people open the console: what links in messages begin with. Never read from a request. */
  publicUrl: () => string;
  /** Origin of `BURSAR_PUBLIC_URL`. Null: not set. */
  publicOrigin: string | null;
  /** For what must not show in how long an answer takes. */
  background: Background;
}
