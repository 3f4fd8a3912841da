import { z } from "zod";
import { optionalQuery, timestamp } from "../fields.ts";
import { apiKeyId, workspaceId } from "../ids.ts";
import { pageCursorQuery } from "../paging.ts";
import { ranks } from "../permissions.ts";
import { ownScopeTypes } from "../scope.ts";

// Fields that spend limits and rate limits share.

export const limitVersion = z
  .int()
  .min(0)
  .meta({ description: "Changes with each update. Send it as `if_version`." });

export const ifVersion = {
  if_version: z.int().min(0).nullable().optional().meta({
    description:
      "Changes the limit only if its `version` is the same. Null: only if there is no limit. Otherwise a 409 with the current version.",
  }),
};

/** A limit has at most one value of each rank. */
export const limitRank = z.enum(ranks);

/** Rank whose value a change sets or removes. */
export const rankToSet = {
  rank: limitRank.optional().meta({
    description:
      "Rank of the value: that of the caller or a lower one. Default: that of the caller.",
  }),
};

export const rankToRemove = optionalQuery(limitRank).meta({
  description:
    "Removes only the value of this rank. Default: the values of the caller's rank and of lower ones.",
});

/** Fields that the values of all kinds of limits have. */
export const limitValueFields = {
  rank: limitRank,
  set_by: z.object({ type: z.string(), id: z.string() }).nullable().meta({
    description: "Caller that set the value. Null: unknown.",
  }),
  set_at: timestamp,
};

/** Query of a list of limits. Each kind adds its own filters. */
export const limitQuery = {
  ...pageCursorQuery,
  scope_type: optionalQuery(z.enum(ownScopeTypes)),
  workspace_id: optionalQuery(workspaceId),
  api_key_id: optionalQuery(apiKeyId),
};
