import { intersectModelLists } from "#src/domain/allowed-models.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { FoundUser } from "#src/key-lookup/forwarded-users.sql.ts";
import type { ForwardedUsers } from "#src/key-lookup/forwarded-users.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

/** Subject of the user at the provider, as Anthropic's gateway for Claude Code sends it. */
export const USER_HEADER = "x-claude-gateway-user-id";

/**
 * Attributes a request of a gateway to the member whom its header names. Returns the key with the member, groups and models
 * of a personal key of that member. Without a known user the key itself is returned, or a 403 thrown if it requires one. Throws a
 * 403 for a member who is not active.
 */
export function attributeRequest(
  users: ForwardedUsers,
  key: FoundKey,
  fields: HeaderFields,
): FoundKey | Promise<FoundKey> {
  const { userDirectoryId: directoryId } = key;
  if (directoryId === null) return key;
  const subject = fields.find(USER_HEADER)?.trim() ?? "";
  if (subject === "") return attributeTo(key, null);
  const name = { directoryId, subject };
  const cached = users.findCached(name);
  if (cached !== undefined) return attributeTo(key, cached);
  return users.find(name).then((user) => attributeTo(key, user));
}

function attributeTo(key: FoundKey, user: FoundUser | null): FoundKey {
  if (user === null || user.organizationId !== key.organizationId) {
    if (!key.requiresUser) return key;
    throw new ApiError(
      "forwarded_user_unknown",
      `This API key accepts requests of known users only. Its gateway names the user in ${USER_HEADER}, and the user ` +
        "signs in to this server through the directory of the key once.",
    );
  }
  if (user.isUnsigned || user.status !== "active") {
    throw new ApiError("forwarded_user_inactive", explainState(user));
  }
  const { ownerMemberId, groupIds, allowedModels } = user;
  return {
    ...key,
    ownerMemberId,
    groupIds,
    allowedModels: intersectModelLists(key.allowedModels, allowedModels),
  };
}

function explainState({ isUnsigned, status }: FoundUser): string {
  if (isUnsigned) {
    return (
      "The user of this request was changed in the database without this server, so the request is refused. " +
      "The operator of the server finds the change with `./bursar audit verify`."
    );
  }
  return status === "removed"
    ? "The user of this request has left the organization."
    : "The user of this request has been deactivated. An admin of the organization can activate the user again.";
}
