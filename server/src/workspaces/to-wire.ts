import type { workspace } from "@bursar/contract/admin/workspaces.ts";
import type { z } from "zod";
import type { WorkspaceRow } from "./workspaces.sql.ts";

export function toWire(row: WorkspaceRow): z.input<typeof workspace> {
  return {
    id: row.id,
    type: "workspace",
    name: row.name,
    description: row.description,
    display_color: row.display_color,
    tags: row.tags,
    personal_keys: row.personal_keys,
    personal_key_models: row.personal_key_models,
    personal_key_lifetime_days: row.personal_key_lifetime_days,
    personal_keys_per_member: row.personal_keys_per_member,
    is_default: row.is_default,
    created_at: row.created_at.toISOString(),
    archived_at: row.archived_at?.toISOString() ?? null,
  };
}
