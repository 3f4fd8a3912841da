import { z } from "zod";
import { optionalQuery } from "../fields.ts";
import { apiKeyId, workspaceId } from "../ids.ts";
import { pageCursorQuery } from "../paging.ts";
import { scopeTypes } from "../scope.ts";

// Fields that spend limits and rate limits share.

export const limitVersion = z
  .int()
  .min(0)
  .meta({ description: "Another number after each change: for `if_version`." });

export const ifVersion = {
  if_version: z.int().min(0).nullable().optional().meta({
    description:
      "Changes the limit only while its `version` is this one, or, for null, while there is none; else 409, which says what it is now.",
  }),
};

/** Query of a list of limits. Each kind adds one filter. */
export const limitQuery = {
  ...pageCursorQuery,
  scope_type: optionalQuery(z.enum(scopeTypes)),
  workspace_id: optionalQuery(workspaceId),
  api_key_id: optionalQuery(apiKeyId),
};
