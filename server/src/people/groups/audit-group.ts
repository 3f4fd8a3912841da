import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { GroupMemberSource } from "#src/db/tables.ts";
import { listModelLists } from "#src/domain/group-models.ts";
import type { GroupRow } from "./groups.sql.ts";
import type { ChangedMember } from "./memberships.sql.ts";

type AuditedGroup = Pick<GroupRow, "id" | "name" | "allowed_models" | "model_lists" | "workspaces">;

/** Audit event of a change of a group. Null: it did not exist, or exists no longer. */
export function auditOfGroup(
  event: `group.${string}`,
  before: AuditedGroup | null,
  after: AuditedGroup | null,
  effects: { readonly [field: string]: JsonValue } = {},
): AuditEntry {
  const id = (after ?? before)?.id ?? "";
  return {
    event,
    subject: { type: "group", id },
    workspaceId: null,
    before: before && { ...toAudit(before), ...(after === null && effects) },
    after: after && { ...toAudit(after), ...effects },
  };
}

function toAudit(group: AuditedGroup) {
  const { name, allowed_models, workspaces } = group;
  const roles = workspaces.map((given) => ({ ...given }));
  const model_lists = listModelLists(group).map(({ rank, allowed_models: models }) => ({
    ...{ rank, allowed_models: models },
  }));
  return { name, allowed_models, model_lists, workspaces: roles };
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
  member: ChangedMember & { limits: { readonly [field: string]: JsonValue } },
  source: GroupMemberSource,
): AuditEntry {
  const { email, name, limits } = member;
  const ofGroup = { group_id: group.id, group_name: group.name };
  const membership = { email, name, ...ofGroup, source, ...limits };
  return {
    event: `group_member.${verb}`,
    subject: { type: "member", id: member.id },
    workspaceId: null,
    before: verb === "added" ? null : membership,
    after: verb === "added" ? membership : null,
  };
}
