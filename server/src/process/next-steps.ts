import type { Database } from "#src/db/pool.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { makeSetUpLink } from "#src/people/sign-in/set-up.ts";
import { type FirstUses, findFirstUses } from "#src/system/first-uses.sql.ts";

/** The steps that are left on a new installation, for the banner. */
export interface NextSteps extends FirstUses {
  /** Makes the first owner, within an hour; null where there is one. A secret: for the terminal, never for a log. */
  setUpUrl: string | null;
}

/** Makes a link for the first owner only where `makesLink` is set: one is enough for all processes. */
export async function findNextSteps(
  deps: { database: Database; nowMs: () => number; publicUrl: () => string },
  { organizationId, makesLink }: { organizationId: string; makesLink: boolean },
): Promise<NextSteps> {
  const link = makesLink
    ? await makeSetUpLink({ ...deps, randomBytes: systemRandomBytes }, organizationId)
    : null;
  return { ...(await findFirstUses(deps.database, organizationId)), setUpUrl: link?.url ?? null };
}
