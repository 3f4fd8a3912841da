import { z } from "zod";
import { accessPaths } from "../access-paths.ts";
import { nameText, optionalQuery, queryList, timestamp } from "../fields.ts";
import { adminKeyId, apiKeyId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { keyPermissions, organizationRoles, workspaceRoles } from "../permissions.ts";
import { route } from "../route.ts";

export const accessPath = z.enum(accessPaths).meta({
  description:
    "How the access comes about: by the role in the organization, by a role given in the workspace, by a person's own API key, by an API key of the workspace, or by an admin key.",
});

/** What an access is about: shared with the items of access reviews, which keep it as it was. */
export const accessFields = {
  path: accessPath,
  member: z
    .object({ id: memberId, name: z.string(), email: z.string() })
    .nullable()
    .meta({ description: "Whose access it is. Null for keys that no person owns." }),
  workspace: z.object({ id: workspaceId, name: z.string() }).nullable().meta({
    description: "Null: the organization, and with it every workspace that `workspace_role` names.",
  }),
  role: z
    .enum([...organizationRoles, ...workspaceRoles])
    .nullable()
    .meta({ description: "Null for keys, which have a permission." }),
  workspace_role: z.enum(workspaceRoles).nullable().meta({
    description: "What the role comes to in the workspace, or in every workspace; null: nothing.",
  }),
  key: z
    .discriminatedUnion("type", [
      z.object({
        type: z.literal("api_key"),
        id: apiKeyId,
        name: z.string(),
        partial_key_hint: z.string(),
        permission: z.enum(keyPermissions),
      }),
      z.object({
        type: z.literal("admin_key"),
        id: adminKeyId,
        name: z.string(),
        partial_key_hint: z.string(),
      }),
    ])
    .nullable(),
  granted_at: timestamp,
  granted_by: z
    .object({ type: z.string(), id: z.string(), name: z.string().nullable() })
    .nullable()
    .meta({
      description:
        "Who gave it: the last change of the role, the invite, or the maker of the key. Null where that is not known any more.",
    }),
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable().meta({
    description:
      "For people, when they last were at the console or used a key of their own, in that workspace if there is one. At most a minute late. Null: no use was noted; of an admin key that is older than this, uses before the upgrade were not.",
  }),
} as const;

export const accessGrant = z
  .object({
    id: z.string().meta({ description: "Names the access while it lasts." }),
    type: z.literal("access_grant"),
    ...accessFields,
  })
  .meta({ id: "AccessGrant" });

const MAX_UNUSED_DAYS = 3650;
const expectedDays = `expected a whole number from 1 to ${MAX_UNUSED_DAYS}`;
const filters = {
  paths: queryList(accessPath),
  workspace_id: optionalQuery(workspaceId).meta({
    description: "What reaches this workspace, also by a role in the organization.",
  }),
  member_id: optionalQuery(memberId),
  search: optionalQuery(nameText).meta({
    description:
      "Text that the name or address of the person, or the name or hint of the key, or the name of the workspace contains, whatever its case.",
  }),
  unused_days: optionalQuery(
    z.coerce
      .number({ error: expectedDays })
      .int(expectedDays)
      .min(1, expectedDays)
      .max(MAX_UNUSED_DAYS, expectedDays)
      .meta({ override: { type: "integer" } }),
  ).meta({ description: "Access that was given so many days ago and has not been used in them." }),
};

export const listAccess = route({
  operationId: "listAccess",
  method: "GET",
  path: "/v1/admin/access",
  summary: "List who reaches what",
  description:
    "Every way by which somebody or something reaches a workspace now, newest first: one entry a path, so a person with a role in the organization and a key of the own has two.",
  action: "access_reviews:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, ...filters }),
  response: pageCursor(accessGrant),
});

export const exportFormats = ["csv", "jsonl"] as const;

export const exportAccess = route({
  operationId: "exportAccess",
  method: "GET",
  path: "/v1/admin/access/export",
  summary: "Export who reaches what",
  description:
    "All that the filters leave, newest first, as CSV with a heading, in which a cell that a spreadsheet would take for a formula begins with an apostrophe, or as one JSON object a line.",
  action: "access_reviews:read",
  audited: null,
  query: z.strictObject({ format: z.enum(exportFormats).default("csv"), ...filters }),
  response: accessGrant,
  streams: ["text/csv", "application/x-ndjson"],
});

export const accessRoutes = [listAccess, exportAccess] as const;
