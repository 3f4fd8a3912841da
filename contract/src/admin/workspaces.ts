import { z } from "zod";
import {
  displayColor,
  nameText,
  queryFlag,
  queryList,
  tagChanges,
  tags,
  timestamp,
  unsupportedField,
} from "../fields.ts";
import { workspaceId } from "../ids.ts";
import { page, pageCursor, pageCursorQuery, pageQuery } from "../paging.ts";
import { route } from "../route.ts";
import { allowedModels } from "./api-keys.ts";

const MAX_DESCRIPTION_LENGTH = 1000;
const description = z.string().trim().max(MAX_DESCRIPTION_LENGTH).nullable();
const includeArchived = queryFlag.meta({ description: "Include archived workspaces." });
const workspaceParams = z.strictObject({ workspace_id: workspaceId });

/** People who can create keys for themselves in a workspace, fewest first. */
export const personalKeyModes = ["off", "members", "everyone"] as const;
export type PersonalKeyMode = (typeof personalKeyModes)[number];

const personalKeyMode = z.enum(personalKeyModes).meta({
  description:
    "Members who can create API keys for themselves without another right: none, those of the workspace, or everyone in the organization. The first key makes a person a Workspace User.",
});
const MAX_PERSONAL_KEYS = 100;
const MAX_LIFETIME_DAYS = 3650;

/** Company shape. */
export const workspace = z
  .object({
    id: workspaceId,
    type: z.literal("workspace"),
    name: z.string(),
    description: z.string().nullable(),
    display_color: z.string(),
    tags: z.record(z.string(), z.string()),
    personal_keys: personalKeyMode,
    personal_key_models: z.array(z.string()).nullable().meta({
      description: "Models that new personal keys can use. Null: all models.",
    }),
    personal_key_lifetime_days: z.int().nullable().meta({
      description: "Longest lifetime of new personal keys. Null: that of the organization.",
    }),
    personal_keys_per_member: z.int().nullable().meta({
      description: "Highest number of working personal keys of each member. Null: no maximum.",
    }),
    is_default: z.boolean(),
    created_at: timestamp,
    archived_at: timestamp.nullable(),
  })
  .meta({ id: "Workspace" });

export const listWorkspaces = route({
  operationId: "listWorkspaces",
  method: "GET",
  path: "/v1/admin/workspaces",
  summary: "List workspaces",
  description:
    "Newest first, including the default workspace. `include_archived` adds archived ones.",
  action: "workspaces:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, include_archived: includeArchived }),
  response: pageCursor(workspace),
});

export const createWorkspace = route({
  operationId: "createWorkspace",
  method: "POST",
  path: "/v1/admin/workspaces",
  summary: "Create a workspace",
  description: "The name must be unique among active workspaces. Case does not matter.",
  action: "workspaces:create",
  audited: "workspace.created",
  body: z.strictObject({
    name: nameText,
    description: description.optional(),
    display_color: displayColor.nullable().optional(),
    tags: tags.nullable().optional(),
  }),
  response: workspace,
});

export const getWorkspace = route({
  operationId: "getWorkspace",
  method: "GET",
  path: "/v1/admin/workspaces/{workspace_id}",
  summary: "Get a workspace",
  action: "workspaces:read",
  audited: null,
  params: workspaceParams,
  response: workspace,
});

export const updateWorkspace = route({
  operationId: "updateWorkspace",
  method: "POST",
  path: "/v1/admin/workspaces/{workspace_id}",
  summary: "Update a workspace",
  description:
    "Omitted fields stay the same. A tag set to null is deleted. `tags: null` deletes all tags. The rules for personal keys apply to keys that members create with `POST /v1/admin/personal_keys`. Existing keys stay as they are.",
  action: "workspaces:write",
  audited: "workspace.updated",
  stepUp: "if_wider",
  params: workspaceParams,
  body: z.strictObject({
    name: nameText.optional(),
    description: description.optional(),
    display_color: displayColor.optional(),
    tags: tagChanges.nullable().optional(),
    personal_keys: personalKeyMode.optional(),
    personal_key_models: allowedModels.optional(),
    personal_key_lifetime_days: z.int().min(1).max(MAX_LIFETIME_DAYS).nullable().optional(),
    personal_keys_per_member: z.int().min(1).max(MAX_PERSONAL_KEYS).nullable().optional(),
  }),
  response: workspace,
});

export const archiveWorkspace = route({
  operationId: "archiveWorkspace",
  method: "POST",
  path: "/v1/admin/workspaces/{workspace_id}/archive",
  summary: "Archive a workspace",
  description: "Cannot be undone. Archives every key of the workspace, which then stops.",
  action: "workspaces:write",
  audited: "workspace.archived",
  stepUp: true,
  params: workspaceParams,
  response: workspace,
});

// The official shape. Fields without a choice on this server accept only their default.

const dataResidency = z.object({
  workspace_geo: z.literal("us"),
  allowed_inference_geos: z.literal("unrestricted"),
  default_inference_geo: z.literal("global"),
});
const dataResidencyInput = z.strictObject({
  workspace_geo: z.literal("us").nullable().optional(),
  allowed_inference_geos: z.literal("unrestricted").nullable().optional(),
  default_inference_geo: z.literal("global").nullable().optional(),
});

const storageInput = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("internal") }),
  z.strictObject({ type: z.literal("external"), external_storage_id: z.string() }),
]);
/** Settings of Anthropic's storage and review. Only the defaults are accepted, and nothing is stored. */
const inferenceDataPrivacyInput = z.strictObject({
  human_review: z.strictObject({ type: z.enum(["enabled", "disabled"]) }).optional(),
  safeguards_storage: storageInput.optional(),
  transcripts_storage: storageInput.optional(),
});
const dataPrivacyDescription =
  "`inference_data_privacy` accepts only the official defaults: `internal` storage and `enabled` human review. The upstream's workspace decides about both, so this server stores no setting and returns none.";

export const officialWorkspace = z
  .object({
    id: workspaceId,
    type: z.literal("workspace"),
    name: z.string(),
    display_color: z.string(),
    created_at: timestamp,
    archived_at: timestamp.nullable(),
    compartment_id: z.string(),
    data_residency: dataResidency,
    external_key_id: z.null(),
    tags: z.record(z.string(), z.string()),
    user_profile_id: z.null(),
  })
  .meta({ id: "OfficialWorkspace" });

export const listOfficialWorkspaces = route({
  operationId: "listOfficialWorkspaces",
  method: "GET",
  path: "/v1/organizations/workspaces",
  summary: "List workspaces (official shape)",
  action: "workspaces:read",
  audited: null,
  query: z.strictObject({
    ...pageQuery,
    ids: queryList(workspaceId),
    include_archived: includeArchived,
    include_default: queryFlag.meta({ description: "Include the default workspace." }),
  }),
  response: page(officialWorkspace),
});

export const createOfficialWorkspace = route({
  operationId: "createOfficialWorkspace",
  method: "POST",
  path: "/v1/organizations/workspaces",
  summary: "Create a workspace (official shape)",
  description: dataPrivacyDescription,
  action: "workspaces:create",
  audited: "workspace.created",
  body: z.strictObject({
    name: nameText,
    data_residency: dataResidencyInput.nullable().optional(),
    display_color: displayColor.nullable().optional(),
    external_key_id: unsupportedField.optional(),
    inference_data_privacy: inferenceDataPrivacyInput.optional(),
    tags: tags.nullable().optional(),
    user_profile_id: unsupportedField.optional(),
  }),
  response: officialWorkspace,
});

export const getOfficialWorkspace = route({
  operationId: "getOfficialWorkspace",
  method: "GET",
  path: "/v1/organizations/workspaces/{workspace_id}",
  summary: "Get a workspace (official shape)",
  action: "workspaces:read",
  audited: null,
  params: workspaceParams,
  response: officialWorkspace,
});

export const updateOfficialWorkspace = route({
  operationId: "updateOfficialWorkspace",
  method: "POST",
  path: "/v1/organizations/workspaces/{workspace_id}",
  summary: "Update a workspace (official shape)",
  description: dataPrivacyDescription,
  action: "workspaces:write",
  audited: "workspace.updated",
  params: workspaceParams,
  body: z.strictObject({
    name: nameText.optional(),
    data_residency: dataResidencyInput.omit({ workspace_geo: true }).nullable().optional(),
    display_color: displayColor.optional(),
    external_key_id: unsupportedField.optional(),
    inference_data_privacy: inferenceDataPrivacyInput.optional(),
    tags: tagChanges.nullable().optional(),
    user_profile_id: unsupportedField.optional(),
  }),
  response: officialWorkspace,
});

export type InferenceDataPrivacyInput = z.output<typeof inferenceDataPrivacyInput>;

export const archiveOfficialWorkspace = route({
  operationId: "archiveOfficialWorkspace",
  method: "POST",
  path: "/v1/organizations/workspaces/{workspace_id}/archive",
  summary: "Archive a workspace (official shape)",
  action: "workspaces:write",
  audited: "workspace.archived",
  params: workspaceParams,
  response: officialWorkspace,
});

export const workspaceRoutes = [
  listWorkspaces,
  createWorkspace,
  getWorkspace,
  updateWorkspace,
  archiveWorkspace,
  listOfficialWorkspaces,
  createOfficialWorkspace,
  getOfficialWorkspace,
  updateOfficialWorkspace,
  archiveOfficialWorkspace,
] as const;
