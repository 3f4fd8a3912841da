import type { Database } from "#src/db/pool.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { makeSetUpLink } from "#src/people/sign-in/set-up.ts";
import { type FirstUses, findFirstUses } from "#src/system/first-uses.sql.ts";

/** Remaining steps of a new installation, for the banner. */
export interface NextSteps extends FirstUses {
  /**
   * Link that creates the first owner, valid for an hour. Null: an owner exists. Secret: for the terminal, never for a
   * log.
   */
  setUpUrl: string | null;
}

/**
 * Finds the steps. Creates a link for the first owner only if `canCreateLink` is set, because one link serves all
 * processes.
 */
export async function findNextSteps(
  deps: { database: Database; nowMs: () => number; publicUrl: () => string },
  { organizationId, canCreateLink }: { organizationId: string; canCreateLink: boolean },
): Promise<NextSteps> {
  const link = canCreateLink
    ? await makeSetUpLink({ ...deps, randomBytes: systemRandomBytes }, organizationId)
    : null;
  return { ...(await findFirstUses(deps.database, organizationId)), setUpUrl: link?.url ?? null };
}

/** Root can read every file of the machine, and so can an attacker who controls this process. */
export function findRootWarning(): string | null {
  if (process.getuid?.() !== 0) return null;
  return "Bursar runs as root. Start it as a system user of its own, with the data folder owned by that user.";
}
