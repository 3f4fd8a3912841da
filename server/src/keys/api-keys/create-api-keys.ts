import type { Call } from "#src/access/call.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import {
  type Handover,
  handOverSecrets,
  type WaitingSecretDeps,
} from "#src/keys/waiting-secrets/waiting-secrets.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";
import { decideNewKey, type NewKeySettings } from "./api-keys.ts";
import { insertKeys } from "./create-key.ts";
import { checkKeyCount } from "./inherit-restrictions.ts";

export interface NewApiKeys extends NewKeySettings {
  names?: string[] | undefined;
  name_prefix?: string | undefined;
  count?: number | undefined;
}

export interface CreatedKeys {
  expiresAt: Date | null;
  keys: ({ key: ApiKeyRow } & Handover)[];
}

/**
 * Creates keys with the same settings in one transaction. The result contains their secrets, unless they wait for another
 * owner. Throws what `createApiKey` throws, and a 400 for names that are not usable together.
 */
export function createApiKeys(
  deps: WaitingSecretDeps,
  { caller, origin }: Call,
  input: NewApiKeys,
): Promise<CreatedKeys> {
  const nowMs = deps.nowMs();
  const names = chooseNames(input);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const { organizationId } = caller;
    const { key, rules } = await decideNewKey(tx, caller, input);
    const memberId = key.owner_member_id;
    const added = names.length;
    await checkKeyCount(tx, { organizationId, memberId, now: new Date(nowMs), added });
    const named = names.map((name) => ({ name, secret: makeSecret("api", deps.randomBytes) }));
    const settings = { key, rules, nowMs, purpose: "calls" } as const;
    const { views, audit } = await insertKeys(tx, deps, caller, { ...settings, named });
    const made = views.map(({ row }, index) => ({
      key: row,
      secret: named[index]?.secret.secret ?? "",
    }));
    const keys = await handOverSecrets(tx, deps, caller, { made, reason: "created" });
    return { result: { expiresAt: views[0]?.row.expires_at ?? null, keys }, audit };
  });
}

/** Names of the keys, as listed or numbered with equal digits. */
export function chooseNames({
  names,
  name_prefix,
  count,
}: Pick<NewApiKeys, "names" | "name_prefix" | "count">): string[] {
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
