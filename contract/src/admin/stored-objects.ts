import { z } from "zod";
import { count, instant, optionalQuery, queryList, timestamp } from "../fields.ts";
import { apiKeyId, storedObjectId, upstreamId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { failoverReasons } from "../usage-shape.ts";

/** Kinds of stored objects in this list. Message batches have routes of their own. */
export const storedObjectKinds = ["file", "skill", "container", "thread"] as const;
export type StoredObjectKind = (typeof storedObjectKinds)[number];

/** A stored object as the Admin API shows it, without its content. */
export const storedObject = z
  .object({
    id: storedObjectId,
    type: z.literal("stored_object"),
    kind: z.enum(storedObjectKinds),
    workspace_id: workspaceId,
    workspace_name: z.string().nullable(),
    api_key_id: apiKeyId.meta({ description: "Key whose call created the object." }),
    api_key_name: z.string().nullable(),
    upstream_id: upstreamId.nullable().meta({
      description: "Null: the upstream of the server's environment, or the simulator.",
    }),
    failover: z.enum(failoverReasons).nullable().meta({
      description:
        "Why the first upstream of the order did not take it. Null: it is the first one.",
    }),
    name: z.string().nullable().meta({
      description:
        "Name of a file or skill. Null: the object has none, or its upstream has not described it yet.",
    }),
    media_type: z.string().nullable().meta({ description: "Media type of a file." }),
    size_bytes: count.nullable().meta({ description: "Size of a file." }),
    created_at: timestamp,
    expires_at: timestamp.nullable().meta({ description: "Null: it does not expire." }),
  })
  .meta({ id: "StoredObject" });

export const listStoredObjects = route({
  operationId: "listStoredObjects",
  method: "GET",
  path: "/v1/admin/stored_objects",
  summary: "List stored objects",
  description:
    "Returns the files, skills, containers and threads of workspaces, newest first. Neither this list nor another call of the " +
    "Admin API has their content. Only keys of the workspace read it.",
  action: "usage:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    kind: queryList(z.enum(storedObjectKinds)),
    workspace_id: queryList(workspaceId),
    api_key_id: queryList(apiKeyId),
    starting_at: optionalQuery(instant).meta({ description: "Created at this time or later." }),
    ending_at: optionalQuery(instant).meta({ description: "Created before this time." }),
  }),
  response: pageCursor(storedObject),
});

export const deleteStoredObject = route({
  operationId: "deleteStoredObject",
  method: "DELETE",
  path: "/v1/admin/stored_objects/{stored_object_id}",
  summary: "Delete a stored object",
  description:
    "Deletes a file or a skill at its upstream. Requests that name it fail from then on. Containers and threads end by " +
    "themselves. An object that the upstream no longer has is removed from the list.",
  action: "workspaces:write",
  audited: "stored_object.deleted",
  params: z.strictObject({ stored_object_id: storedObjectId }),
  response: z.object({ id: storedObjectId, type: z.literal("stored_object_deleted") }),
});

export const storedObjectRoutes = [listStoredObjects, deleteStoredObject] as const;
