import type { Call } from "#src/access/call.ts";
import {
  isSecondFactorMissing,
  SESSION_IDLE_MS,
  SESSION_MS,
  sessionEndsAtMs,
  sessionLengthsOf,
} from "#src/access/sessions.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { compileRanges, isInRanges } from "#src/key-lookup/address-ranges.ts";
import {
  type ActiveMember,
  listActiveMembers,
  listSessionsOfOrganization,
  type OpenSession,
} from "./affected-people.sql.ts";
import { findSecurityRules, type SecurityRules } from "./security-settings.sql.ts";
import {
  countKeysBeyond,
  excludesOwnAddress,
  readSecurityChange,
  type SecurityChange,
  type SecuritySettings,
} from "./security-settings.ts";

/** Keys, sessions and members that a change of the settings affects at once. */
export interface SecurityPreview {
  keysBeyondMaxLifetime: SecuritySettings["keysBeyondMaxLifetime"];
  openSessions: number;
  endedSessions: number;
  endsOwnSession: boolean;
  sessionsOutsideAddresses: number;
  excludesOwnAddress: boolean;
  membersWithoutSecondFactor: number;
  membersWithoutDirectory: number;
  extendedSessions: number;
  membersFreedFromSecondFactor: number;
  membersWithOtherSignIn: number;
  membersFreedFromAddresses: number;
}

/** Counts by the rules that sessions and keys follow, and changes nothing. Throws a 400 for an invalid address. */
export async function previewSecuritySettings(
  { database, nowMs }: AuditDeps,
  { caller, origin }: Call,
  change: SecurityChange,
): Promise<SecurityPreview> {
  const { organizationId } = caller;
  const asked = readSecurityChange(change);
  const before = await findSecurityRules(database, organizationId);
  const after = { ...before, ...asked };
  const now = nowMs();
  const listed = await listSessionsOfOrganization(database, {
    organizationId,
    startedAfter: new Date(now - SESSION_MS),
    usedAfter: new Date(now - SESSION_IDLE_MS),
  });
  const open = listed.filter((session) => !isEnded(session, before, now));
  const ended = open.filter((session) => isEnded(session, after, now));
  const isOwn = ({ id }: OpenSession) => caller.kind === "member" && caller.sessionId === id;
  const members = await listActiveMembers(database, organizationId);
  return {
    keysBeyondMaxLifetime:
      asked.max_key_lifetime_days === undefined
        ? { apiKeys: 0, adminKeys: 0 }
        : await countKeysBeyond(database, organizationId, after, now),
    openSessions: open.length,
    endedSessions: ended.length,
    endsOwnSession: ended.some(isOwn),
    sessionsOutsideAddresses: countOutside(open, asked.console_addresses),
    excludesOwnAddress: excludesOwnAddress(asked, caller, origin),
    membersWithoutSecondFactor: members.filter(
      (member) => isLacking(member, after) && !isLacking(member, before),
    ).length,
    membersWithoutDirectory:
      after.company_sign_in_only && !before.company_sign_in_only
        ? members.filter(({ has_directory }) => !has_directory).length
        : 0,
    ...countWider(
      { open: open.filter((session) => !ended.includes(session)), members },
      { before, after },
    ),
  };
}

/** Sessions and members for which a rule ends or becomes wider. */
function countWider(
  { open, members }: { open: readonly OpenSession[]; members: readonly ActiveMember[] },
  { before, after }: { before: SecurityRules; after: SecurityRules },
) {
  const endsAtMs = (session: OpenSession, rules: SecurityRules) =>
    sessionEndsAtMs(session, lengthsOf(rules));
  const needsFactor = ({ role }: ActiveMember, { second_factor: secondFactor }: SecurityRules) =>
    isSecondFactorMissing({ secondFactor, hasSecondFactor: false }, role);
  const countIf = (isFreed: boolean) => (isFreed ? members.length : 0);
  return {
    extendedSessions: open.filter((each) => endsAtMs(each, after) > endsAtMs(each, before)).length,
    membersFreedFromSecondFactor: members.filter(
      (member) => needsFactor(member, before) && !needsFactor(member, after),
    ).length,
    membersWithOtherSignIn: countIf(before.company_sign_in_only && !after.company_sign_in_only),
    membersFreedFromAddresses: countIf(
      before.console_addresses !== null && after.console_addresses === null,
    ),
  };
}

/** The company sign-in ends all sessions that no directory started. */
function isEnded(session: OpenSession, rules: SecurityRules, nowMs: number): boolean {
  const isOverdue = nowMs >= sessionEndsAtMs(session, lengthsOf(rules));
  return isOverdue || (rules.company_sign_in_only && !session.is_of_directory);
}

function lengthsOf(rules: SecurityRules) {
  return sessionLengthsOf({
    sessionHours: rules.session_hours,
    idleHours: rules.session_idle_hours,
  });
}

function isLacking(member: ActiveMember, rules: SecurityRules): boolean {
  const { second_factor: secondFactor } = rules;
  return isSecondFactorMissing(
    { secondFactor, hasSecondFactor: member.has_second_factor },
    member.role,
  );
}

/** Counts sessions with an address outside the ranges. An unknown address is outside. */
function countOutside(open: readonly OpenSession[], ranges: string[] | null | undefined): number {
  if (!ranges) return 0;
  const compiled = compileRanges(ranges);
  return open.filter(({ ip_address }) => !isInRanges(compiled, ip_address)).length;
}
