import type { Call } from "#src/access/call.ts";
import { getPersonId } from "#src/access/own-api-key.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { findOrganizationReach, findWorkspaceReach } from "#src/domain/rights.ts";
import { listKeyWorkspaces, listLimitsOfMember } from "./my-limits.sql.ts";
import { type LimitState, readLimitStates } from "./spend-limits.ts";

const READ = "spend_limits:read";

/**
 * Lists the limits of the caller, of their personal keys with their tags, and of their groups, without another right. Limits of workspaces and of the
 * organization need the right to see limits there. Throws a 403 for a caller that is no person.
 */
export async function listMyLimits(deps: AuditDeps, { caller }: Call): Promise<LimitState[]> {
  const memberId = getPersonId(caller);
  const { organizationId } = caller;
  const ofKeys = await listKeyWorkspaces(deps.database, { organizationId, memberId });
  const limits = await listLimitsOfMember(deps.database, {
    organizationId,
    memberId,
    workspaceIds: ofKeys.filter((id) => findWorkspaceReach(caller, READ, id) !== null),
    withOrganization: findOrganizationReach(caller, READ) !== null,
  });
  return readLimitStates(deps, limits);
}
