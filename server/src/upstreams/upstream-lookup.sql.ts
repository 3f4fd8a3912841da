import type { Database, Tx } from "#src/db/pool.ts";

/** The stored upstream as the gateway needs it. */
export interface StoredUpstream {
  id: string;
  baseUrl: string;
  /** Sealed with the context `upstream:<id>:<origin>`. Null after a change of the URL, until it is set again. */
  credentialSealed: Uint8Array | null;
}

/** Finds the shared upstream of the installation. */
export async function findSharedUpstream(db: Database | Tx): Promise<StoredUpstream | null> {
  const row = await db
    .selectFrom("upstream")
    .select(["id", "base_url", "credential_sealed"])
    .orderBy("created_at")
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  if (!row) return null;
  return { id: row.id, baseUrl: row.base_url, credentialSealed: row.credential_sealed };
}
