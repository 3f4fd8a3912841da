import { type RawBuilder, sql } from "kysely";
import { lockApiKeys } from "#src/access/lock-keys.sql.ts";
import type { Tx } from "#src/db/pool.ts";

/** The contact of a key, as `findContact` finds it. `key` is the alias of an API key or admin key. */
export function contactOf(key: RawBuilder<unknown>): RawBuilder<string | null> {
  return sql`coalesce(${key}.contact_member_id, CASE ${key}.created_by_type WHEN 'member' THEN ${key}.created_by_id END)`;
}

interface ContactOf {
  organizationId: string;
  ids: readonly string[];
  memberId: string;
}

/** Makes the member the contact of API keys without an owner. Gives no right. */
export async function setApiKeyContacts(tx: Tx, of: ContactOf): Promise<void> {
  if (of.ids.length === 0) return;
  await lockApiKeys(tx, of);
  await sql`UPDATE api_key SET contact_member_id = ${of.memberId}
    WHERE organization_id = ${of.organizationId}::uuid AND owner_member_id IS NULL AND id = ANY(${[...of.ids]}::text[])`.execute(
    tx,
  );
}

/** Makes the member the contact of admin keys. Gives no right. */
export async function setAdminKeyContacts(tx: Tx, of: ContactOf): Promise<void> {
  if (of.ids.length === 0) return;
  await sql`UPDATE admin_key SET contact_member_id = ${of.memberId}
    WHERE organization_id = ${of.organizationId}::uuid AND id = ANY(${[...of.ids]}::text[])`.execute(
    tx,
  );
}
