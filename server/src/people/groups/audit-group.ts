import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { GroupMemberSource } from "#src/db/tables.ts";
import type { GroupRow } from "./groups.sql.ts";
import type { ChangedMember } from "./memberships.sql.ts";

type AuditedGroup = Pick<GroupRow, "id" | "name" | "allowed_models" | "workspaces">;

/** Audit event of a change of a group. Null: it did not exist, or exists no longer. */
export function auditOfGroup(
  event: `group.${string}`,
  before: AuditedGroup | null,
  after: AuditedGroup | null,
): AuditEntry {
  const id = (after ?? before)?.id ?? "";
  return {
    event,
    subject: { type: "group", id },
    workspaceId: null,
    before: before && toAudit(before),
    after: after && toAudit(after),
  };
}

function toAudit({ name, allowed_models, workspaces }: AuditedGroup) {
  const roles = workspaces.map((given) => ({ ...given }));
  return { name, allowed_models, workspaces: roles };
}

/** Audit event of a changed role of a group in a workspace. */
export function auditOfGroupRole(
  verb: "set" | "removed",
  workspaceId: string,
  before: AuditedGroup,
  after: AuditedGroup,
): AuditEntry {
  const roleOf = ({ name, workspaces }: AuditedGroup) => {
    const given = workspaces.find(({ workspace_id }) => workspace_id === workspaceId);
    return given ? { name, workspace_role: given.workspace_role } : null;
  };
  return {
    event: `group_workspace.${verb}`,
    subject: { type: "group", id: after.id },
    workspaceId,
    before: roleOf(before),
    after: roleOf(after),
  };
}

/** Audit event of a changed membership. Its subject is the member, whose keys it affects. */
export function auditOfMembership(
  verb: "added" | "removed",
  group: Pick<GroupRow, "id" | "name">,
  member: ChangedMember,
  source: GroupMemberSource,
): AuditEntry {
  const { email, name } = member;
  const membership = { email, name, group_id: group.id, group_name: group.name, source };
  return {
    event: `group_member.${verb}`,
    subject: { type: "member", id: member.id },
    workspaceId: null,
    before: verb === "added" ? null : membership,
    after: verb === "added" ? membership : null,
  };
}
