import { z } from "zod";
import { optionalQuery } from "../fields.ts";
import { apiKeyId, workspaceId } from "../ids.ts";
import { pageCursorQuery } from "../paging.ts";
import { scopeTypes } from "../scope.ts";

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

/** Query of a list of limits. Each kind adds one filter. */
export const limitQuery = {
  ...pageCursorQuery,
  scope_type: optionalQuery(z.enum(scopeTypes)),
  workspace_id: optionalQuery(workspaceId),
  api_key_id: optionalQuery(apiKeyId),
};
