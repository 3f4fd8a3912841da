import { hkdfSync } from "node:crypto";
import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import type { Site } from "./site.ts";

export interface AuthDeps {
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  randomBytes: RandomBytes;
  /** The installation's secret. better-auth's signing and sealing key is derived from it. */
  sealingKey: Uint8Array;
  /** scrypt's N for passwords. Omitted: OWASP's minimum. Tests set a lower one. */
  passwordCost?: number;
}

export interface AuthRequest {
  tx: Tx;
  site: Site;
  origin: Origin;
  /**
   * The caller's step-up replaces better-auth's own password question. Its two-factor routes ask for the password and
   * cannot skip it.
   */
  isProved?: true;
  /** Result of `provePassword`, so that the transaction does not wait for a hash. */
  proof?: PasswordProof;
  /** Hash of a new password, made before the transaction. */
  newPasswordHash?: string;
  /** A directory has identified the member. Sessions without are refused where members need one. */
  isCompanySignIn?: boolean;
  /** Receives the token of a password reset. */
  onResetToken?: (token: string) => void;
}

/** Result of a comparison with a stored hash. Counts only while that hash is stored. */
export interface PasswordProof {
  /** Null: the member is unknown or has no password. */
  hash: string | null;
  isCorrect: boolean;
  /** True if the hash has parameters of an earlier version. */
  isOutdated: boolean;
}

/** Version of the secret in values that better-auth sealed. A rotation seals all of them again, so there is one. */
export const AUTH_SECRET_VERSION = 1;

/** Derives better-auth's secret. */
export function deriveAuthSecret(sealingKey: Uint8Array): string {
  return Buffer.from(hkdfSync("sha256", sealingKey, "", "bursar sign-in v1", 32)).toString("hex");
}

export const RESET_SECONDS = 3_600;
export const BACKUP_CODES = 10;
/** Placeholder for a password that better-auth requires and the step-up has made unnecessary. */
export const provedByStepUp = "proved by step-up";
/** Issuer that authenticators display. */
export const ISSUER = "Bursar";
/** Refusal codes of Bursar. All others are better-auth's. */
export const MEMBER_NOT_ACTIVE = "MEMBER_NOT_ACTIVE";
export const COMPANY_SIGN_IN_REQUIRED = "COMPANY_SIGN_IN_REQUIRED";

/** Removes environment variables that change better-auth's behavior or make it send reports. */
export function removeForeignVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) {
    if (name.startsWith("BETTER_AUTH_") || name === "AUTH_SECRET") delete environment[name];
  }
}
