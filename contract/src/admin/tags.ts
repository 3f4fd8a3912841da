import { z } from "zod";
import { count, optionalQuery, tagName, timestamp } from "../fields.ts";
import { apiKeyId, tagId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const user = <Id extends z.ZodType>(id: Id) => z.object({ id, name: z.string() });

export const tag = z
  .object({
    id: tagId,
    type: z.literal("tag"),
    name: z.string(),
    value: z.string(),
    created_at: timestamp.meta({ description: "Time of the first use." }),
    workspace_count: count,
    workspaces: z.array(user(workspaceId)).meta({
      description: "The first 20 active workspaces with the tag, by name.",
    }),
    api_key_count: count,
    api_keys: z.array(user(apiKeyId)).meta({
      description: "The first 20 keys with the tag, by name. Archived keys are left out.",
    }),
  })
  .meta({ id: "Tag" });

export const listTags = route({
  operationId: "listTags",
  method: "GET",
  path: "/v1/admin/tags",
  summary: "List tags",
  description:
    "Names with their values, newest first, with the workspaces and keys that have them now. A tag without both had requests, or was never used. Callers with rights in some workspaces see the tags in use there.",
  action: "workspaces:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    name: optionalQuery(tagName).meta({ description: "Tags with this name." }),
  }),
  response: pageCursor(tag),
});

export const tagRoutes = [listTags] as const;
