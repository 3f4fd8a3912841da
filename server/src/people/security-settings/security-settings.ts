import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { findMaxKeyLifetimeDays } from "./max-key-lifetime.sql.ts";
import {
  countKeysOverLifetime,
  lockSecuritySettings,
  saveMaxKeyLifetime,
} from "./security-settings.sql.ts";

export interface SecuritySettings {
  maxKeyLifetimeDays: number | null;
  keysBeyondMaxLifetime: { apiKeys: number; adminKeys: number };
}

/** Returns the organization's settings and the number of keys that exceed them. */
export async function getSecuritySettings(
  deps: AuditDeps,
  { caller }: Call,
): Promise<SecuritySettings> {
  const maxDays = await findMaxKeyLifetimeDays(deps.database, caller.organizationId);
  return describe(deps.database, caller.organizationId, maxDays, deps.nowMs());
}

/** Keeps the current value of omitted fields. Existing keys are counted but not changed. */
export function updateSecuritySettings(
  deps: AuditDeps,
  { caller, origin }: Call,
  change: { max_key_lifetime_days?: number | null | undefined },
): Promise<SecuritySettings> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const { maxKeyLifetimeDays: before } = await lockSecuritySettings(tx, organizationId);
    const { max_key_lifetime_days: asked } = change;
    const after = asked === undefined ? before : asked;
    const result = await describe(tx, organizationId, after, deps.nowMs());
    if (after === before) return { result, audit: "unchanged" };
    await saveMaxKeyLifetime(tx, organizationId, after);
    return {
      result,
      audit: {
        event: "security_settings.updated",
        subject: { type: "security_settings", id: organizationId },
        workspaceId: null,
        before: { max_key_lifetime_days: before },
        after: { max_key_lifetime_days: after },
      },
    };
  });
}

async function describe(
  db: Database | Tx,
  organizationId: string,
  maxDays: number | null,
  nowMs: number,
): Promise<SecuritySettings> {
  const keysBeyondMaxLifetime =
    maxDays === null
      ? { apiKeys: 0, adminKeys: 0 }
      : await countKeysOverLifetime(db, { organizationId, maxDays, now: new Date(nowMs) });
  return { maxKeyLifetimeDays: maxDays, keysBeyondMaxLifetime };
}
