import {
  type AuditDeps,
  type AuditEntry,
  auditedTransactionByActor,
} from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import { isUnavailable } from "#src/db/database-error.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { GroupModels } from "#src/domain/group-models.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import type { PersonalKeyRules } from "#src/domain/wider-access.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  auditOfMember,
  deactivate,
  isLastOwner,
  removeFromOrganization,
} from "#src/people/leaving/deactivate.ts";
import { refreshLimitsOfMembers } from "#src/people/leaving/member-limits.ts";
import { findMember, type MemberRow, updateMember } from "#src/people/leaving/members.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { isUsableJson } from "#src/signed-rows/signed-transaction.ts";
import type { LostChanges, RecentChange } from "./recent-changes.ts";
import { recreateGroup, restoreMemberships } from "./restore-memberships.ts";
import {
  archiveWorkspace,
  endSessionsById,
  findGroupState,
  findMemberState,
  leaveGroups,
  lockAdminKey,
  lockApiKey,
  lockWorkspace,
  replaceRanks,
  replaceSecrets,
  restrictAdminKeyRow,
  restrictApiKeyRow,
  restrictGroupRows,
  restrictPersonalKeys,
  revokeInvite,
  setWorkspaceRole,
} from "./restore-restrictions.sql.ts";
import {
  type MemberRestriction,
  restrictAdminKey,
  restrictApiKey,
  restrictGroup,
  restrictMember,
  restrictRanks,
  restrictSecrets,
  restrictWorkspace,
} from "./restrict.rule.ts";
import type {
  AdminKeyState,
  ApiKeyState,
  InviteState,
  RememberedApiKey,
  RememberedGroup,
  RememberedMember,
  SubjectState,
  WorkspaceState,
} from "./subject-state.rule.ts";

// Applies restrictions of lost changes again: each subject in one audited transaction, once for all nodes. Nothing is
// widened, and a subject that was created in the lost time stays lost.

interface Restored {
  tx: Tx;
  rows: RowSigner;
  lost: LostChanges;
  nowMs: number;
}

/**
 * Applies what the promoted database lacks. Returns the number of subjects that changed. A subject that fails is logged, and
 * the others continue. Rejects while the database is unavailable.
 */
export async function restoreRestrictions(
  deps: AuditDeps & { logger: Logger },
  lost: LostChanges,
): Promise<number> {
  let count = 0;
  // Memberships depend on the lists of their groups.
  const isGroup = (state: SubjectState) => Number(state.type === "group");
  for (const state of lost.states.toSorted((a, b) => isGroup(b) - isGroup(a))) {
    try {
      if (await restoreSubject(deps, lost, state)) count += 1;
    } catch (error) {
      if (isUnavailable(error) || error instanceof ApiError) throw error;
      deps.logger.error(
        { err: error, type: state.type, id: state.id },
        "a lost restriction could not be applied again: apply it by hand",
      );
    }
  }
  return count;
}

/** Returns false if the promoted database has the restrictions. */
function restoreSubject(deps: AuditDeps, lost: LostChanges, state: SubjectState): Promise<boolean> {
  const nowMs = deps.nowMs();
  const maker = {
    organizationId: lost.organizationId,
    actor: { type: "system", id: "failover" },
    origin: makeSystemOrigin(deps, new Date(nowMs)),
  };
  return auditedTransactionByActor(deps, maker, async (tx) => {
    const audit = await restrictSubject({ tx, rows: deps.rows, lost, nowMs }, state);
    const isUnchanged = audit === null || (Array.isArray(audit) && audit.length === 0);
    return isUnchanged ? { result: false, audit: "unchanged" } : { result: true, audit };
  });
}

function restrictSubject(
  of: Restored,
  state: SubjectState,
): Promise<AuditEntry | readonly AuditEntry[] | null> {
  switch (state.type) {
    case "api_key":
      return restoreApiKey(of, state);
    case "admin_key":
      return restoreAdminKey(of, state);
    case "workspace":
      return restoreWorkspace(of, state);
    case "member":
      return restoreMember(of, state);
    case "group":
      return restoreGroup(of, state);
    case "invite":
      return restoreInvite(of, state);
  }
}

async function restoreApiKey(
  { tx, rows, lost, nowMs }: Restored,
  remembered: RememberedApiKey,
): Promise<AuditEntry | null> {
  const { id } = remembered;
  const current = await lockApiKey(tx, id);
  if (current === null) return null;
  const restriction = restrictApiKey(current, remembered);
  // A forged secret would become genuine.
  const genuine = remembered.secrets.filter(({ row }) => isUsableJson(rows, "api_key_secret", row));
  const secrets = restrictSecrets(current.secrets, genuine);
  const ranks = restrictRanks(current.ranks, remembered.ranks);
  const fields = Object.keys(restriction) as (keyof typeof restriction)[];
  if (fields.length === 0 && secrets.ended.length === 0 && ranks.length === 0) return null;
  if (fields.length > 0) await restrictApiKeyRow(tx, id, restriction, nowMs);
  await replaceRanks(tx, id, ranks);
  await replaceSecrets(tx, id, secrets);
  const ends = secrets.ended.map(({ hint, validUntilMs }) => {
    return { hint, valid_until: formatTime(validUntilMs) };
  });
  const toWire = (from: Partial<ApiKeyState>) => {
    const all = {
      status: from.status ?? null,
      permission: from.permission ?? null,
      expires_at: formatTime(from.expiresAtMs ?? null),
      allowed_models: from.allowedModels ?? null,
      allowed_addresses: from.allowedAddresses ?? null,
      allowed_origins: from.allowedOrigins ?? null,
      user_directory_id: from.userDirectoryId ?? null,
      requires_user: from.requiresUser ?? false,
    };
    return Object.fromEntries(fields.map((field) => [WIRE_NAMES[field], all[WIRE_NAMES[field]]]));
  };
  return {
    event: findEvent(lost, "api_key", id),
    subject: { type: "api_key", id },
    workspaceId: current.workspaceId,
    before: toWire(current),
    after: {
      ...toWire(restriction),
      ...(ends.length > 0 && {
        ended_secrets: ends,
        restored_secrets: secrets.added.map(({ hint }) => hint),
      }),
      ...(ranks.length > 0 && { restored_ranks: ranks.map(({ rank }) => rank) }),
      ...causeOf(lost, id),
    },
  };
}

const WIRE_NAMES = {
  status: "status",
  permission: "permission",
  expiresAtMs: "expires_at",
  allowedModels: "allowed_models",
  allowedAddresses: "allowed_addresses",
  allowedOrigins: "allowed_origins",
  userDirectoryId: "user_directory_id",
  requiresUser: "requires_user",
} as const;

async function restoreAdminKey(
  { tx, lost, nowMs }: Restored,
  remembered: AdminKeyState,
): Promise<AuditEntry | null> {
  const { id } = remembered;
  const current = await lockAdminKey(tx, id);
  if (current === null) return null;
  const restriction = restrictAdminKey(current, remembered);
  if (Object.keys(restriction).length === 0) return null;
  await restrictAdminKeyRow(tx, id, restriction, nowMs);
  const toWire = ({ status, expiresAtMs }: Pick<AdminKeyState, "status" | "expiresAtMs">) => {
    return { status, expires_at: formatTime(expiresAtMs) };
  };
  return {
    event: findEvent(lost, "admin_key", id),
    subject: { type: "admin_key", id },
    workspaceId: null,
    before: toWire(current),
    after: { ...toWire({ ...current, ...restriction }), ...causeOf(lost, id) },
  };
}

async function restoreWorkspace(
  { tx, lost }: Restored,
  remembered: WorkspaceState,
): Promise<AuditEntry | null> {
  const { id } = remembered;
  const current = await lockWorkspace(tx, id);
  if (current === null) return null;
  const { archivedAtMs, personalKeys } = restrictWorkspace(current, remembered);
  if (archivedAtMs === undefined && personalKeys === undefined) return null;
  if (archivedAtMs !== undefined) {
    const { organizationId } = lost;
    await archiveWorkspace(tx, { id, organizationId, archivedAt: new Date(archivedAtMs) });
  }
  if (personalKeys !== undefined) await restrictPersonalKeys(tx, id, personalKeys);
  const toWire = (atMs: number | null | undefined, rules: PersonalKeyRules | undefined) => ({
    ...(archivedAtMs !== undefined && { archived_at: formatTime(atMs ?? null) }),
    ...(rules && { ...rules, personal_key_models: toJson(rules.personal_key_models) }),
  });
  return {
    event: archivedAtMs === undefined ? "workspace.updated" : "workspace.archived",
    subject: { type: "workspace", id },
    workspaceId: id,
    before: toWire(null, personalKeys && current.personalKeys),
    after: { ...toWire(archivedAtMs, personalKeys), ...causeOf(lost, id) },
  };
}

function toJson(list: readonly string[] | null): string[] | null {
  return list && [...list];
}

async function restoreInvite(
  { tx, lost }: Restored,
  { id, revokedAtMs }: InviteState,
): Promise<AuditEntry | null> {
  if (revokedAtMs === null) return null;
  const revokedAt = new Date(revokedAtMs);
  if (!(await revokeInvite(tx, { id, revokedAt }))) return null;
  return {
    event: "invite.revoked",
    subject: { type: "invite", id },
    workspaceId: null,
    before: { revoked_at: null },
    after: { revoked_at: revokedAt.toISOString(), ...causeOf(lost, id) },
  };
}

async function restoreMember(of: Restored, remembered: RememberedMember): Promise<AuditEntry[]> {
  const { tx, rows, lost, nowMs } = of;
  const { organizationId } = lost;
  const { id } = remembered;
  await lockPeople(tx, organizationId);
  const before = await findMember(tx, { organizationId, id });
  const current = await findMemberState(tx, id);
  if (before === null || current === null) return [];
  const restricted = await restoreLess(of, before, restrictMember(current, remembered));
  const place = { tx, rows, organizationId, nowMs };
  const joined = await restoreMemberships(place, remembered, current.groupIds);
  return [
    ...(restricted === null ? [] : [restricted]),
    ...joined.map((entry) => ({ ...entry, after: { ...entry.after, ...causeOf(lost, id) } })),
  ];
}

/** Takes away what the member had lost. */
async function restoreLess(
  of: Restored,
  before: MemberRow,
  restriction: MemberRestriction,
): Promise<AuditEntry | null> {
  const { tx, lost } = of;
  const { organizationId } = lost;
  const { id } = before;
  const { status, role, workspaces, leftGroupIds, endedSessionIds } = restriction;
  const isLess = status !== undefined || role !== undefined;
  const hasLost = [workspaces, leftGroupIds, endedSessionIds].some((lists) => lists.length > 0);
  if (!isLess && !hasLost) return null;
  // The promoted database can lack another owner. An organization without an owner could not be repaired.
  if (isLess && (await isLastOwner(tx, organizationId, before))) return null;
  const { after, ending } = await applyToMember(of, before, restriction);
  const event = findEvent(lost, "member", id) as `member.${string}`;
  const entry = auditOfMember(event, before, after, ending);
  return {
    ...entry,
    after: {
      ...entry.after,
      ...(workspaces.length > 0 && {
        workspace_roles: workspaces.map((each) => ({ workspace_id: each.id, role: each.role })),
      }),
      ...(leftGroupIds.length > 0 && { left_group_ids: leftGroupIds }),
      ended_sessions: endedSessionIds.length,
      ...causeOf(lost, id),
    },
  };
}

async function applyToMember(
  { tx, lost: { organizationId }, nowMs }: Restored,
  before: MemberRow,
  { status, role, workspaces, leftGroupIds, endedSessionIds }: MemberRestriction,
): Promise<Awaited<ReturnType<typeof deactivate>> | { after: MemberRow; ending: undefined }> {
  const place = { organizationId, nowMs };
  if (status === "removed") return removeFromOrganization(tx, before, place);
  const lowered = { ...before, ...(role !== undefined && { role }) };
  if (status === "deactivated") return deactivate(tx, lowered, place);
  if (role !== undefined) await updateMember(tx, { organizationId, id: before.id }, lowered);
  for (const { id: workspaceId, role: left } of workspaces) {
    await setWorkspaceRole(tx, { memberId: before.id, workspaceId, role: left });
  }
  await leaveGroups(tx, { memberId: before.id, groupIds: leftGroupIds });
  if (leftGroupIds.length > 0) {
    const deps = { nowMs: () => nowMs, randomBytes: systemRandomBytes };
    const memberIds = [before.id];
    await refreshLimitsOfMembers(tx, deps, { organizationId, memberIds, rank: null });
  }
  await endSessionsById(tx, endedSessionIds);
  return { after: lowered, ending: undefined };
}

/** A lost deletion leaves the group without roles. A lost creation is repeated if the group restricts a member. */
async function restoreGroup(
  { tx, rows, lost }: Restored,
  remembered: RememberedGroup,
): Promise<AuditEntry | null> {
  const { id } = remembered;
  await lockPeople(tx, lost.organizationId);
  const current = await findGroupState(tx, id);
  if (current === null) {
    const created = hasMember(lost, id) ? await recreateGroup({ tx, rows }, remembered) : null;
    return created && { ...created, after: { ...created.after, ...causeOf(lost, id) } };
  }
  const restriction = restrictGroup(current, remembered);
  const { models, workspaces } = restriction;
  if (models === undefined && workspaces.length === 0) return null;
  await restrictGroupRows(tx, id, restriction);
  const toWire = (of: GroupModels | undefined, roles: typeof workspaces) => ({
    ...(of !== undefined && { allowed_models: of.allowed_models }),
    workspaces: roles.map((each) => ({ workspace_id: each.id, workspace_role: each.role })),
  });
  const changed = workspaces.map((each) => each.id);
  const held = current.workspaces.filter((each) => changed.includes(each.id));
  return {
    event: "group.updated",
    subject: { type: "group", id },
    workspaceId: null,
    before: toWire(models && current.models, held),
    after: { ...toWire(models, workspaces), ...causeOf(lost, id) },
  };
}

/** True if a member joined the group in the lost time. */
function hasMember({ states }: LostChanges, groupId: string): boolean {
  return states.some(
    (state) =>
      state.type === "member" && state.memberships.some((joined) => joined.groupId === groupId),
  );
}

/** Name of the newest lost change of the subject, or of an update if another subject's change restricted it. */
function findEvent({ changes }: LostChanges, type: string, id: string): AuditEntry["event"] {
  const event = changes.findLast((change) => change.subjectId === id)?.event;
  return event?.startsWith(`${type}.`) ? (event as AuditEntry["event"]) : `${type}.updated`;
}

function causeOf({ changes }: LostChanges, id: string) {
  const lost = changes.findLast((change: RecentChange) => change.subjectId === id);
  return { cause: "database_failover", lost_audit_event_id: lost?.id ?? null };
}

function formatTime(ms: number | null): string | null {
  return ms === null ? null : isoFromMs(ms);
}
