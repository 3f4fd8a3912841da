import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { hasOrganizationPermission } from "#src/domain/rights.ts";
import { compileRanges, isInRanges, normalizeRange } from "#src/key-lookup/address-ranges.ts";
import { findDirectoryOfSession } from "#src/people/directory/sign-in.sql.ts";
import { endOtherSignIns } from "#src/people/identity/company-sign-in.sql.ts";
import { companySignInRequired } from "#src/people/identity/company-sign-in.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import {
  countKeysOverLifetime,
  findSecurityRules,
  lockSecuritySettings,
  type SecurityRules,
  saveSecurityRules,
} from "./security-settings.sql.ts";

export interface SecuritySettings {
  rules: SecurityRules;
  keysBeyondMaxLifetime: { apiKeys: number; adminKeys: number };
}

export type SecurityChange = { [Field in keyof SecurityRules]?: SecurityRules[Field] | undefined };

/** Returns the organization's settings and the number of keys that exceed them. */
export async function getSecuritySettings(
  deps: AuditDeps,
  { caller }: Call,
): Promise<SecuritySettings> {
  const rules = await findSecurityRules(deps.database, caller.organizationId);
  return describe(deps.database, caller.organizationId, rules, deps.nowMs());
}

/**
 * Keeps the current value of omitted fields. Existing keys are counted but not changed. Throws a 400 for console
 * addresses that exclude the member who sets them. Throws a 403 for `company_sign_in_only` unless an owner sets it, in a
 * session of an enabled directory.
 */
export function updateSecuritySettings(
  deps: AuditDeps,
  { caller, origin }: Call,
  change: SecurityChange,
): Promise<SecuritySettings> {
  const { organizationId } = caller;
  const asked = readSecurityChange(change);
  if (excludesOwnAddress(asked, caller, origin)) {
    throw refuseField(
      "console_addresses",
      `they exclude your own address ${origin.ipAddress ?? "(unknown)"}, so you could not undo the change.`,
    );
  }
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const rules = await lockSecuritySettings(tx, organizationId);
    const result = await describe(tx, organizationId, { ...rules, ...asked }, deps.nowMs());
    const changed = (Object.keys(asked) as (keyof SecurityRules)[]).filter(
      (field) => JSON.stringify(rules[field]) !== JSON.stringify(asked[field]),
    );
    if (changed.length === 0) return { result, audit: "unchanged" };
    const pick = (from: SecurityRules) =>
      Object.fromEntries(changed.map((field) => [field, from[field]]));
    const ended = changed.includes("company_sign_in_only")
      ? await setCompanySignIn(tx, caller, result.rules.company_sign_in_only)
      : {};
    await saveSecurityRules(tx, organizationId, asked);
    return {
      result,
      audit: {
        event: "security_settings.updated",
        subject: { type: "security_settings", id: organizationId },
        workspaceId: null,
        before: pick(rules),
        after: { ...pick(result.rules), ...ended },
      },
    };
  });
}

/** Ends all other sign-ins when the rule begins. Throws a 403. */
async function setCompanySignIn(tx: Tx, caller: Caller, isOn: boolean) {
  if (!hasOrganizationPermission(caller, "directories:write")) {
    throw new ApiError(
      "permission_denied",
      "Only an Owner can change the rule for company sign-in.",
    );
  }
  if (!isOn) return {};
  await lockPeople(tx, caller.organizationId);
  const directory =
    caller.kind === "member" ? await findDirectoryOfSession(tx, caller.sessionId) : null;
  if (directory?.is_enabled !== true) {
    throw companySignInRequired(
      "Sign in through a directory of the organization first. Otherwise the rule could exclude you.",
    );
  }
  return { ended_sessions: await endOtherSignIns(tx, caller.organizationId) };
}

/** Returns the fields to set, with normalized addresses. Throws a 400 for an invalid address. */
export function readSecurityChange(change: SecurityChange): Partial<SecurityRules> {
  const fields = Object.entries(change).filter(([, value]) => value !== undefined);
  const asked: Partial<SecurityRules> = Object.fromEntries(fields);
  if (!asked.console_addresses) return asked;
  const ranges = asked.console_addresses.map((text, i) => {
    const range = normalizeRange(text.trim());
    if (range !== null) return range;
    throw refuseField(
      `console_addresses.${i}`,
      "expected an address or a CIDR range without bits after its prefix, such as 10.0.0.0/8.",
    );
  });
  return { ...asked, console_addresses: ranges };
}

/** True if the console would no longer work from the address of the member who makes the change. */
export function excludesOwnAddress(
  { console_addresses: ranges }: Partial<SecurityRules>,
  caller: Caller,
  origin: Origin,
): boolean {
  if (!ranges || caller.kind !== "member") return false;
  return !isInRanges(compileRanges(ranges), origin.ipAddress);
}

async function describe(
  db: Database | Tx,
  organizationId: string,
  rules: SecurityRules,
  nowMs: number,
): Promise<SecuritySettings> {
  return { rules, keysBeyondMaxLifetime: await countKeysBeyond(db, organizationId, rules, nowMs) };
}

/** Counts working keys that exceed the maximum lifetime. */
export async function countKeysBeyond(
  db: Database | Tx,
  organizationId: string,
  { max_key_lifetime_days: maxDays }: Pick<SecurityRules, "max_key_lifetime_days">,
  nowMs: number,
): Promise<SecuritySettings["keysBeyondMaxLifetime"]> {
  if (maxDays === null) return { apiKeys: 0, adminKeys: 0 };
  return countKeysOverLifetime(db, { organizationId, maxDays, now: new Date(nowMs) });
}
