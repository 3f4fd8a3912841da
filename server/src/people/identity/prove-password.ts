import type { Database } from "#src/db/pool.ts";
import type { AuthDeps, PasswordProof } from "./auth-settings.ts";
import { makePasswordHashing, runPasswordWork } from "./hash-password.ts";
import { findPasswordHash } from "./people.sql.ts";

/**
 * Compares a password with the stored one. Call it before a transaction begins, so that no connection waits for the
 * hash. Takes the same time for an unknown member (null).
 */
export function provePassword(
  deps: AuthDeps & { database: Database },
  of: { memberId: string | null; password: string; isKnown: boolean },
): Promise<PasswordProof> {
  const hashing = makePasswordHashing(deps.passwordCost);
  const prove = async () => {
    const hash = of.memberId === null ? null : await findPasswordHash(deps.database, of.memberId);
    if (hash === null) {
      await hashing.hash(of.password);
      return { hash, isCorrect: false, isOutdated: false };
    }
    const isCorrect = await hashing.verify({ hash, password: of.password });
    return { hash, isCorrect, isOutdated: hashing.isOutdated(hash) };
  };
  return runPasswordWork(prove, of);
}
