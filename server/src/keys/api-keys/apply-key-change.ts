import { ApiError } from "#src/domain/api-error.ts";
import { rankOf } from "#src/domain/rank.ts";
import { isSame } from "#src/lib/is-same.ts";
import type { TagChange } from "#src/tags/tag-changes.rule.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";
import {
  changeRestrictions,
  type RestrictionChange,
  type RestrictionContext,
} from "./change-restrictions.ts";
import type { ApiKeyStatus } from "./describe-api-keys.ts";
import type { KeyUsers, KeyUsersChange } from "./key-users.ts";
import type { RankedKey } from "./ranked-restrictions.ts";

// The change of one key, which `updateApiKey` and `stopApiKeys` share.

export interface ApiKeyChange extends RestrictionChange, KeyUsersChange {
  name?: string | null | undefined;
  allowed_origins?: string[] | null | undefined;
  tags?: TagChange | undefined;
}

/** The key after the change. Throws what `changeRestrictions` throws. */
export function applyKeyChange(
  before: RankedKey,
  change: ApiKeyChange,
  context: RestrictionContext & {
    columns: Pick<ApiKeyRow, "tags" | "tag_ranks" | "allowed_origins"> & KeyUsers;
  },
): RankedKey {
  const { row } = before;
  const { row: changed, restrictions } = changeRestrictions(before, change, context);
  const named = { ...changed, ...context.columns, name: change.name ?? row.name };
  if (change.status !== "archived") return { row: named, restrictions };
  const archived_rank = rankOf(context.caller, row.workspace_id, "keys");
  const archived_at = new Date(context.nowMs);
  return { row: { ...named, status: "archived", archived_at, archived_rank }, restrictions };
}

/** True if the request names a value that an archived key does not have. */
export function isChangeOfArchived(row: ApiKeyRow, change: ApiKeyChange): boolean {
  return (
    (change.name ?? row.name) !== row.name ||
    (change.status ?? "archived") !== "archived" ||
    [
      ...[change.expires_at, change.allowed_models, change.allowed_addresses, change.tags],
      ...[change.user_directory_id, change.requires_user, change.allowed_origins],
    ].some((value) => value !== undefined)
  );
}

/** Throws a 400 for a change that the state of the key or of its owner forbids. */
export function checkKeyChange(status: ApiKeyStatus, before: RankedKey, after: RankedKey): void {
  const { archived_at, archived_rank } = after.row;
  const archived = { ...before.row, status: "archived", archived_at, archived_rank };
  const isArchivedOnly = isSame<object>(
    { row: archived, restrictions: before.restrictions },
    { row: after.row, restrictions: after.restrictions },
  );
  if (status === "expired" && !isArchivedOnly) throw refuseExpiredKey("it can only be archived");
  const isEnabled = after.row.status === "active" && before.row.status === "inactive";
  const { owner_state } = before.row;
  if (isEnabled && owner_state !== null && owner_state !== "active") {
    const reason =
      owner_state === "outside" ? "has no role in the workspace any more" : `is ${owner_state}`;
    throw new ApiError(
      "owner_inactive",
      `The owner of this API key ${reason}, so the key cannot be enabled.`,
    );
  }
}

export function refuseExpiredKey(consequence: string): ApiError {
  return new ApiError(
    "resource_expired",
    `This API key has expired: ${consequence}. Create another one.`,
    {},
    { resource: "api_key" },
  );
}
