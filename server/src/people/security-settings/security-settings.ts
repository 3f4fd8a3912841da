import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { isSame } from "#src/lib/is-same.ts";
import { findMaxKeyLifetimeDays, findMaxKeysPerMember } from "./max-key-lifetime.sql.ts";
import {
  countKeysOverLifetime,
  findRaisesNeedTwoPeople,
  type KeyRules,
  lockSecuritySettings,
  saveKeyRules,
} from "./security-settings.sql.ts";

export interface SecuritySettings extends KeyRules {
  keysBeyondMaxLifetime: { apiKeys: number; adminKeys: number };
}

/** Returns the organization's settings and the number of keys that exceed them. */
export async function getSecuritySettings(
  deps: AuditDeps,
  { caller }: Call,
): Promise<SecuritySettings> {
  const { organizationId } = caller;
  const rules = {
    maxKeyLifetimeDays: await findMaxKeyLifetimeDays(deps.database, organizationId),
    maxKeysPerMember: await findMaxKeysPerMember(deps.database, organizationId),
    raisesNeedTwoPeople: await findRaisesNeedTwoPeople(deps.database, organizationId),
  };
  return describe(deps.database, organizationId, rules, deps.nowMs());
}

/** Keeps the current value of omitted fields. Existing keys are counted but not changed. */
export function updateSecuritySettings(
  deps: AuditDeps,
  { caller, origin }: Call,
  change: {
    max_key_lifetime_days?: number | null | undefined;
    max_keys_per_member?: number | null | undefined;
    raises_need_two_people?: boolean | undefined;
  },
): Promise<SecuritySettings> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockSecuritySettings(tx, organizationId);
    const { max_key_lifetime_days: days, max_keys_per_member: keys } = change;
    const after = {
      maxKeyLifetimeDays: days === undefined ? before.maxKeyLifetimeDays : days,
      maxKeysPerMember: keys === undefined ? before.maxKeysPerMember : keys,
      raisesNeedTwoPeople: change.raises_need_two_people ?? before.raisesNeedTwoPeople,
    };
    const result = await describe(tx, organizationId, after, deps.nowMs());
    if (isSame(before, after)) return { result, audit: "unchanged" };
    await saveKeyRules(tx, organizationId, after);
    return {
      result,
      audit: {
        event: "security_settings.updated",
        subject: { type: "security_settings", id: organizationId },
        workspaceId: null,
        before: toAudit(before),
        after: toAudit(after),
      },
    };
  });
}

function toAudit({ maxKeyLifetimeDays, maxKeysPerMember, raisesNeedTwoPeople }: KeyRules) {
  return {
    max_key_lifetime_days: maxKeyLifetimeDays,
    max_keys_per_member: maxKeysPerMember,
    raises_need_two_people: raisesNeedTwoPeople,
  };
}

async function describe(
  db: Database | Tx,
  organizationId: string,
  rules: KeyRules,
  nowMs: number,
): Promise<SecuritySettings> {
  const { maxKeyLifetimeDays: maxDays } = rules;
  const keysBeyondMaxLifetime =
    maxDays === null
      ? { apiKeys: 0, adminKeys: 0 }
      : await countKeysOverLifetime(db, { organizationId, maxDays, now: new Date(nowMs) });
  return { ...rules, keysBeyondMaxLifetime };
}
