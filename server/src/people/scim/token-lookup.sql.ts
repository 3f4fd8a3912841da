import type { Database } from "#src/db/pool.ts";
import { type DirectoryRow, findDirectory } from "#src/people/directory/directories.sql.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";

const USE_STEP_MS = 60_000;

/** Finds the directory of a valid token by the hash of its secret, or null. Records the use, once a minute. */
export async function findDirectoryByToken(
  { database, rows }: { database: Database; rows: RowSigner },
  { secretHash, nowMs }: { secretHash: Uint8Array; nowMs: number },
): Promise<{ directory: DirectoryRow; tokenId: string } | null> {
  const token = await database
    .selectFrom("scim_token")
    .select(["id", "organization_id", "directory_id", "secret_hash", "valid_until", "revoked_at"])
    .select(["last_used_at", "mac"])
    .where("secret_hash", "=", secretHash)
    .executeTakeFirst();
  if (!token || !rows.isUsable("scim_token", token, token.mac)) return null;
  if (token.revoked_at !== null) return null;
  if (token.valid_until !== null && token.valid_until.getTime() <= nowMs) return null;
  if ((token.last_used_at?.getTime() ?? 0) <= nowMs - USE_STEP_MS) {
    await database
      .updateTable("scim_token")
      .set({ last_used_at: new Date(nowMs) })
      .where("id", "=", token.id)
      .execute();
  }
  const { organization_id: organizationId, directory_id: id } = token;
  const directory = await findDirectory(database, { organizationId, id });
  return directory && { directory, tokenId: token.id };
}
