import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { isCompanySignInOnly, needsCompanySignIn } from "./company-sign-in.sql.ts";

/** Throws a 403 if the member has to sign in through a directory. */
export async function checkPasswordAllowed(
  deps: { database: Database | Tx; nowMs: () => number },
  memberId: string,
): Promise<void> {
  const of = { memberId, now: new Date(deps.nowMs()) };
  if (await needsCompanySignIn(deps.database, of)) throw companySignInRequired();
}

/** Throws a 403 if members of the organization sign in through a directory only. */
export async function checkOtherSignIns(
  db: Database | Tx,
  organizationId: string,
  message?: string,
): Promise<void> {
  if (await isCompanySignInOnly(db, organizationId)) throw companySignInRequired(message);
}

export function companySignInRequired(
  message = "Your organization requires its company sign-in. Sign in through its directory.",
): ApiError {
  return new ApiError("company_sign_in_required", message);
}
