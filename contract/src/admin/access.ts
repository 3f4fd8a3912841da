import { z } from "zod";
import { accessPaths } from "../access-paths.ts";
import { nameText, optionalQuery, queryList, timestamp } from "../fields.ts";
import { adminKeyId, apiKeyId, groupId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { keyPermissions, organizationRoles, workspaceRoles } from "../permissions.ts";
import { route } from "../route.ts";

export const accessPath = z.enum(accessPaths).meta({
  description:
    "Source of the access: an organization role, a workspace role that was assigned to the member, a workspace role of one of the member's groups, a member's API key, a workspace's API key, or an admin key.",
});

/** Fields of an access. Items of access reviews store them as they were. */
export const accessFields = {
  path: accessPath,
  member: z.object({ id: memberId, name: z.string(), email: z.string() }).nullable().meta({
    description: "Member who has the access. Null: the key of a workspace, or an admin key.",
  }),
  workspace: z.object({ id: workspaceId, name: z.string() }).nullable().meta({
    description: "Null: the organization, and every workspace with the role `workspace_role`.",
  }),
  role: z
    .enum([...organizationRoles, ...workspaceRoles])
    .nullable()
    .meta({ description: "Null for keys, which have a permission." }),
  workspace_role: z.enum(workspaceRoles).nullable().meta({
    description: "Effective role in the workspace, or in every workspace. Null: none.",
  }),
  group: z.object({ id: groupId, name: z.string() }).nullable().meta({
    description:
      "Group that gives the role. Remove the member from the group, or change the role of the group, to end it. Null for other paths.",
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
        "Actor who granted it: by the last change of the role, the invite or the new key. Null: no longer known.",
    }),
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable().meta({
    description:
      "Last use. Members: last visit to the console or use of their own key, in the workspace if there is one. At most a minute late. Null: no use is recorded. Admin keys have no record of uses before the upgrade.",
  }),
} as const;

export const accessGrant = z
  .object({
    id: z.string().meta({ description: "Id of the access while it lasts." }),
    type: z.literal("access_grant"),
    ...accessFields,
  })
  .meta({ id: "AccessGrant" });

const MAX_UNUSED_DAYS = 3650;
const expectedDays = `expected a whole number from 1 to ${MAX_UNUSED_DAYS}`;
const filters = {
  paths: queryList(accessPath),
  workspace_id: optionalQuery(workspaceId).meta({
    description: "Access to this workspace, also through a role in the organization.",
  }),
  member_id: optionalQuery(memberId),
  search: optionalQuery(nameText).meta({
    description:
      "Part of the member's name or address, the key's name or hint, or the workspace's name. Case-insensitive.",
  }),
  unused_days: optionalQuery(
    z.coerce
      .number({ error: expectedDays })
      .int(expectedDays)
      .min(1, expectedDays)
      .max(MAX_UNUSED_DAYS, expectedDays)
      .meta({ override: { type: "integer" } }),
  ).meta({ description: "Access granted at least this many days ago and not used in that time." }),
};

export const listAccess = route({
  operationId: "listAccess",
  method: "GET",
  path: "/v1/admin/access",
  summary: "List all access",
  description:
    "Lists every access of members and keys now, newest first. Each path is one entry. A member with a role in the organization and one own key has two.",
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
  summary: "Export all access",
  description:
    "Exports all filtered entries, newest first: CSV with a heading, or one JSON object per line. CSV cells that a spreadsheet would read as a formula begin with an apostrophe.",
  action: "access_reviews:read",
  audited: null,
  query: z.strictObject({ format: z.enum(exportFormats).default("csv"), ...filters }),
  response: accessGrant,
  streams: ["text/csv", "application/x-ndjson"],
});

export const accessRoutes = [listAccess, exportAccess] as const;
