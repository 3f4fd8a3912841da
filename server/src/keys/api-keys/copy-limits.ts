import type { AuditDeps, AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { auditLimitChange } from "#src/limits/change-limit.ts";
import { copyValuesAbove } from "#src/limits/limit-values.ts";
import { rateLimits } from "#src/rates/limits/rate-limit-kind.ts";
import { spendLimits } from "#src/spend/limits/spend-limit-kind.ts";
import type { Inherited } from "./inherit-restrictions.ts";

/** Gives a key the inherited spend limits and rate limits. Returns their audit entries. */
export async function copyLimits(
  tx: Tx,
  deps: AuditDeps,
  key: { organizationId: string; workspaceId: string; id: string },
  sources: Inherited["limits"],
): Promise<AuditEntry[]> {
  const { organizationId, workspaceId, id: toApiKeyId } = key;
  const entries: (AuditEntry | "unchanged")[] = [];
  for (const source of sources) {
    const keys = { ...source, organizationId, toApiKeyId };
    const scope = { scopeType: "api_key", scopeId: toApiKeyId, workspaceId } as const;
    const spend = await copyValuesAbove(spendLimits, tx, deps, keys);
    const rates = await copyValuesAbove(rateLimits, tx, deps, keys);
    entries.push(
      ...spend.map((change) => auditLimitChange(spendLimits, "set", scope, change)),
      ...rates.map((change) => auditLimitChange(rateLimits, "set", scope, change)),
    );
  }
  return entries.filter((entry) => entry !== "unchanged");
}
