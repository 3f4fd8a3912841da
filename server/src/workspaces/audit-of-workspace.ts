import { workspace } from "@bursar/contract/admin/workspaces.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import { toWire } from "./to-wire.ts";
import type { WorkspaceRow } from "./workspaces.sql.ts";

const auditedFields = workspace.omit({ id: true, type: true, is_default: true, created_at: true });

export function auditOf(
  event: `workspace.${string}`,
  before: WorkspaceRow | null,
  after: WorkspaceRow,
): AuditEntry {
  return {
    event,
    subject: { type: "workspace", id: after.id },
    workspaceId: after.id,
    before: before && auditedFields.parse(toWire(before)),
    after: auditedFields.parse(toWire(after)),
  };
}
