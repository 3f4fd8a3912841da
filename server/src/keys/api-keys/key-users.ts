import { includesRank } from "@bursar/contract/permissions.ts";
import { denied } from "#src/access/authorize.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { rankOf } from "#src/domain/rank.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { hasDirectory } from "./key-users.sql.ts";

// Keys of a gateway that names the user of each request. See key-lookup/forwarded-users.ts.

/** Omitted fields stay. */
export interface KeyUsersChange {
  user_directory_id?: string | null | undefined;
  requires_user?: boolean | undefined;
}

/** Columns of a key. `requires_user` is null without a directory. */
export interface KeyUsers {
  user_directory_id: string | null;
  requires_user: boolean | null;
}

export const NO_USERS: KeyUsers = { user_directory_id: null, requires_user: null };

/**
 * Decides which users the requests of a key can name. A new directory requires a user, unless the caller says otherwise. Throws a
 * 403 for a caller below the admins of the organization, because the client then charges any member of the directory. Throws a 400
 * for a personal key, an unknown directory, and a rule without a directory.
 */
export async function decideKeyUsers(
  tx: Tx,
  caller: Caller,
  key: KeyUsers & { owner_member_id: string | null },
  change: KeyUsersChange,
): Promise<KeyUsers> {
  const after = applyChange(key, change);
  const isUnchanged =
    after.user_directory_id === key.user_directory_id && after.requires_user === key.requires_user;
  if (isUnchanged) return after;
  if (!includesRank(rankOf(caller, null, "keys"), "admin")) {
    throw denied(
      "Only admins of the organization can change user_directory_id and requires_user, because requests of the key then count as those of members.",
    );
  }
  const { user_directory_id: directoryId } = after;
  if (directoryId === null) return after;
  if (key.owner_member_id !== null) {
    throw refuseField("user_directory_id", "a personal key has the usage of its owner only.");
  }
  if (!(await hasDirectory(tx, { organizationId: caller.organizationId, directoryId }))) {
    throw refuseField("user_directory_id", "the organization has no such directory.");
  }
  return after;
}

function applyChange(key: KeyUsers, change: KeyUsersChange): KeyUsers {
  const { user_directory_id: directoryId = key.user_directory_id, requires_user } = change;
  if (directoryId !== null) {
    return {
      user_directory_id: directoryId,
      requires_user: requires_user ?? key.requires_user ?? true,
    };
  }
  if (requires_user === true) {
    throw refuseField("requires_user", "users are known with a user_directory_id only.");
  }
  return NO_USERS;
}
