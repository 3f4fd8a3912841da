import { apiKeyNotFound } from "#src/access/visible-workspace.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { type ApiKeyRow, findApiKeyForUpdate } from "./api-keys.sql.ts";
import { checkCanChangeKey, checkCanGrantKey, scopeOf } from "./key-rights.ts";

/** Source of the rights to change existing keys: the caller's role, or the ownership of a personal key. */
export interface KeyAuthority {
  /** Returns the key, locked. Throws a 404, and a 403 for a key that the caller can only see. */
  getForUpdate(tx: Tx, caller: Caller, id: string): Promise<ApiKeyRow>;
  /** Throws a 403 if the caller cannot give the key a secret or enable it. */
  checkCanGrant(tx: Tx, caller: Caller, key: ApiKeyRow): Promise<void>;
  /** Maximum lifetime of a secret, days. Null: no maximum. */
  findMaxDays(tx: Tx, caller: Caller, key: ApiKeyRow): Promise<number | null>;
}

/** Rights of the caller's role, or of a calling key. */
export const roleAuthority: KeyAuthority = {
  async getForUpdate(tx, caller, id) {
    const row = await findApiKeyForUpdate(tx, scopeOf(caller), id);
    if (row === null) throw apiKeyNotFound();
    checkCanChangeKey(caller, row);
    return row;
  },
  checkCanGrant: async (_, caller, key) => checkCanGrantKey(caller, key),
  findMaxDays: (tx, { organizationId }) => findMaxKeyLifetimeDays(tx, organizationId),
};
