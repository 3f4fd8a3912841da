import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import type { Site } from "./site.ts";

export interface AuthDeps {
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  randomBytes: RandomBytes;
  /** Of the installation: what better-auth signs and seals with is derived from it. */
  sealingKey: Uint8Array;
  /** scrypt's N for passwords. Omitted: that of better-auth. Tests set a lower one. */
  passwordCost?: number;
}

export interface AuthRequest {
  tx: Tx;
  site: Site;
  origin: Origin;
  /**
   * The caller's step-up has answered better-auth's own question for the password, which its two-factor routes ask and
   * which has no other way around it.
   */
  isProved?: true;
  /** Gets the token of a password reset. */
  onResetToken?: (token: string) => void;
}

export const RESET_SECONDS = 3_600;
export const BACKUP_CODES = 10;
/** Stands where better-auth wants a password that the step-up has made unnecessary. */
export const provedByStepUp = "proved by step-up";
/** What authenticators show as the place. */
export const ISSUER = "Bursar";
/** Codes of refusals that are ours; the others are better-auth's. */
export const MEMBER_NOT_ACTIVE = "MEMBER_NOT_ACTIVE";

/** Variables of the environment by which better-auth changes what it does, or sends reports: none counts here. */
export function removeForeignVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) {
    if (name.startsWith("BETTER_AUTH_") || name === "AUTH_SECRET") delete environment[name];
  }
}
