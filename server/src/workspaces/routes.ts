import {
  type InferenceDataPrivacyInput,
  listOfficialWorkspaces,
  listWorkspaces as listWorkspacesRoute,
  type officialWorkspace,
  type workspaceRoutes,
} from "@bursar/contract/admin/workspaces.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { ApiError, PlainErrorCode } from "#src/domain/api-error.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { toWire } from "./to-wire.ts";
import type { WorkspaceRow } from "./workspaces.sql.ts";
import {
  archiveWorkspace,
  createWorkspace,
  getWorkspace,
  listWorkspaces,
  listWorkspacesByIds,
  updateWorkspace,
} from "./workspaces.ts";

export function makeWorkspaceHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof workspaceRoutes)[number], Call> {
  return {
    listWorkspaces: pagedList(
      listWorkspacesRoute,
      (call, { query }, page) => listWorkspaces(deps, call, query, page),
      toWire,
    ),
    createWorkspace: async (call, { body }) => toWire(await createWorkspace(deps, call, body)),
    getWorkspace: async (call, { params }) =>
      toWire(await getWorkspace(deps, call, params.workspace_id)),
    updateWorkspace: async (call, { params, body }) =>
      toWire(await updateWorkspace(deps, call, params.workspace_id, body)),
    archiveWorkspace: async (call, { params }) =>
      toWire(await archiveWorkspace(deps, call, params.workspace_id)),

    listOfficialWorkspaces: pagedList(
      listOfficialWorkspaces,
      (call, { query }) => listWorkspacesByIds(deps, call, query),
      toOfficialWire,
    ),
    createOfficialWorkspace: async (call, { body }) => {
      const { name, display_color, tags } = body;
      checkDataPrivacy(body.inference_data_privacy);
      return toOfficialWire(await createWorkspace(deps, call, { name, display_color, tags }));
    },
    getOfficialWorkspace: async (call, { params }) =>
      toOfficialWire(await getWorkspace(deps, call, params.workspace_id)),
    updateOfficialWorkspace: async (call, { params, body }) => {
      const { name, display_color, tags } = body;
      checkDataPrivacy(body.inference_data_privacy);
      const change = { name, display_color, tags };
      return toOfficialWire(await updateWorkspace(deps, call, params.workspace_id, change));
    },
    archiveOfficialWorkspace: async (call, { params }) =>
      toOfficialWire(await archiveWorkspace(deps, call, params.workspace_id)),
  };
}

/** Throws for a setting that only the upstream's own workspace can have. */
function checkDataPrivacy(wanted: InferenceDataPrivacyInput | undefined): void {
  const storages = ["safeguards_storage", "transcripts_storage"] as const;
  for (const field of storages) {
    if (wanted?.[field]?.type !== "external") continue;
    throw unavailable(field, "internal", "external_storage_not_available");
  }
  if (wanted?.human_review?.type === "disabled") {
    throw unavailable("human_review", "enabled", "human_review_not_available");
  }
}

function unavailable(field: string, accepted: string, code: PlainErrorCode): ApiError {
  const why = `only "${accepted}" is available on this server. Change the setting at Anthropic, in the upstream's workspace.`;
  return refuseField(`inference_data_privacy.${field}`, why, code);
}

function toOfficialWire(row: WorkspaceRow): z.input<typeof officialWorkspace> {
  return {
    id: row.id,
    type: "workspace",
    name: row.name,
    display_color: row.display_color,
    created_at: row.created_at.toISOString(),
    archived_at: row.archived_at?.toISOString() ?? null,
    // Each workspace is its own compartment.
    compartment_id: row.id,
    data_residency: {
      workspace_geo: "us",
      allowed_inference_geos: "unrestricted",
      default_inference_geo: "global",
    },
    external_key_id: null,
    tags: row.tags,
    user_profile_id: null,
  };
}
