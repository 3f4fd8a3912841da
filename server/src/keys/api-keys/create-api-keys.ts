import type { KeyPermission } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import { getActiveWorkspaceForChange } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { DEFAULT_PERMISSION, pickStrongest } from "./api-keys.ts";
import { insertKeys } from "./create-key.ts";
import { checkKeyCount } from "./inherit-restrictions.ts";
import { chooseOwner } from "./key-owner.ts";
import { checkCanGrantKey } from "./key-rights.ts";

export interface NewApiKeys {
  workspace_id: string;
  names?: string[] | undefined;
  name_prefix?: string | undefined;
  count?: number | undefined;
  permissions?: KeyPermission[] | undefined;
  expires_at?: string | null | undefined;
  allowed_models?: string[] | null | undefined;
  allowed_addresses?: string[] | null | undefined;
  tags?: Record<string, string> | undefined;
}

export interface CreatedKeys {
  expiresAt: Date | null;
  keys: { id: string; name: string; hint: string; secret: string }[];
}

/**
 * Creates keys with the same settings in one transaction, and returns their secrets. Throws what `createApiKey` throws, and
 * a 400 for names that are not usable together.
 */
export function createApiKeys(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewApiKeys,
): Promise<CreatedKeys> {
  const nowMs = deps.nowMs();
  const permission = pickStrongest(input.permissions ?? [DEFAULT_PERMISSION]);
  const names = chooseNames(input);
  const { workspace_id } = input;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const { organizationId } = caller;
    await getActiveWorkspaceForChange(tx, caller, "api_keys:write", workspace_id);
    checkCanGrantKey(caller, { workspace_id, permission });
    const memberId = await chooseOwner(tx, caller, { workspace_id });
    const added = names.length;
    await checkKeyCount(tx, { organizationId, memberId, now: new Date(nowMs), added });
    const maxDays = await findMaxKeyLifetimeDays(tx, organizationId);
    const made = names.map((name) => ({ name, secret: makeSecret("api", deps.randomBytes) }));
    const { views, audit } = await insertKeys(tx, deps, caller, {
      key: { ...input, owner_member_id: memberId, permission },
      rules: { maxDays, workspaceModels: null },
      nowMs,
      purpose: "calls",
      named: made,
    });
    const keys = views.map(({ row }, index) => ({
      id: row.id,
      name: row.name,
      hint: row.hint,
      secret: made[index]?.secret.secret ?? "",
    }));
    return { result: { expiresAt: views[0]?.row.expires_at ?? null, keys }, audit };
  });
}

/** Names of the keys, as listed or numbered with equal digits. */
export function chooseNames({ names, name_prefix, count }: NewApiKeys): string[] {
  if (names !== undefined) {
    if (name_prefix !== undefined || count !== undefined) {
      throw refuseFields("names: Send either names, or name_prefix and count.", ["names"]);
    }
    const seen = new Set<string>();
    for (const [index, name] of names.entries()) {
      if (seen.has(name)) throw refuseField(`names.${index}`, "this name is twice in the list.");
      seen.add(name);
    }
    return names;
  }
  if (name_prefix === undefined || count === undefined) {
    const missing = name_prefix === undefined ? "name_prefix" : "count";
    throw refuseField(missing, "is needed without names.");
  }
  const digits = String(count).length;
  return Array.from(
    { length: count },
    (_, index) => name_prefix + String(index + 1).padStart(digits, "0"),
  );
}
