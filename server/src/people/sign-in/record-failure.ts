import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import { countFailure } from "#src/people/identity/attempts.ts";
import { type AuditedMember, signInTransaction } from "./audit-member.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

/**
 * Records a failed sign-in of the member in the audit log. Records the first of an hour, the tenth, the hundredth and
 * so on, so that an attack is visible and cannot fill the log.
 */
export async function recordFailure(
  deps: SignInDeps,
  person: { id: string } & ({ organizationId: string } | { organization_id: string }),
  origin: Origin,
): Promise<void> {
  const organizationId =
    "organizationId" in person ? person.organizationId : person.organization_id;
  const member: AuditedMember = { id: person.id, organizationId };
  await signInTransaction(deps, async (tx, note) => {
    const { failures, since } = await countFailure(tx, deps.nowMs(), member.id);
    if (!/^10*$/.test(String(failures))) return;
    await note({
      member,
      origin,
      event: "sign_in.failed",
      after: { attempts: failures, since: since.toISOString() },
      byStranger: true,
    });
  });
}

/** Runs the work, and records a failed proof of identity in the member's session. */
export async function withFailureRecorded<Result>(
  deps: SignInDeps,
  member: AuditedMember,
  origin: Origin,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError && error.status !== 503) {
      deps.background.run(() => recordFailure(deps, member, origin));
    }
    throw error;
  }
}
