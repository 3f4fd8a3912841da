import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { Tx } from "#src/db/pool.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { countProvided, releaseGroups } from "./listed-members.sql.ts";

/**
 * Releases the members and groups of a directory before its deletion. Members keep their state, and groups become groups by
 * hand. The caller has locked the directory.
 */
export async function releaseDirectory(
  tx: Tx,
  { organizationId, directoryId }: { organizationId: string; directoryId: string },
): Promise<{ counts: { readonly [field: string]: JsonValue }; audit: AuditEntry[] }> {
  await lockPeople(tx, organizationId);
  const { users, tokens } = await countProvided(tx, directoryId);
  const groups = await releaseGroups(tx, directoryId);
  return {
    counts: {
      ended_scim_tokens: tokens,
      released_users: users,
      released_groups: groups.length,
    },
    audit: groups.map(({ id, name }) => ({
      event: "group.released",
      subject: { type: "group", id },
      workspaceId: null,
      before: { name, source: "scim", directory_id: directoryId },
      after: { name, source: "direct", directory_id: null },
    })),
  };
}
