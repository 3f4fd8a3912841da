import { archiveApiKeysOfWorkspace } from "#src/access/stop-keys.sql.ts";
import type { Tx } from "#src/db/pool.ts";
import type { PersonalKeyRules } from "#src/domain/wider-access.ts";
import { deleteAssignedRole } from "#src/people/workspace-members/workspace-people.sql.ts";
import type { ApiKeyRestriction, GroupRestriction } from "./restrict.rule.ts";
import type {
  AdminKeyState,
  ApiKeyState,
  GroupState,
  MemberState,
  RankState,
  SecretState,
  WorkspaceState,
} from "./subject-state.rule.ts";

// Statements that read and restrict a subject in the transaction of its audit event. Rows are locked first, because several
// nodes restrict the same subject.

export async function lockApiKey(
  tx: Tx,
  id: string,
): Promise<(ApiKeyState & { workspaceId: string }) | null> {
  const key = await tx
    .selectFrom("api_key")
    .selectAll()
    .where("id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (key === undefined) return null;
  const secrets = await tx
    .selectFrom("api_key_secret")
    .selectAll()
    .where("api_key_id", "=", id)
    .execute();
  const ranks = await tx
    .selectFrom("api_key_restriction")
    .selectAll()
    .where("api_key_id", "=", id)
    .execute();
  return {
    type: "api_key",
    id,
    workspaceId: key.workspace_id,
    status: key.status,
    permission: key.permission,
    ownerMemberId: key.owner_member_id,
    expiresAtMs: toMs(key.expires_at),
    allowedModels: key.allowed_models,
    allowedAddresses: key.allowed_addresses,
    allowedOrigins: key.allowed_origins,
    userDirectoryId: key.user_directory_id,
    requiresUser: key.requires_user,
    ranks: ranks.map((held) => ({
      rank: held.rank,
      isDisabled: held.is_disabled,
      allowedModels: held.allowed_models,
      allowedAddresses: held.allowed_addresses,
      expiresAtMs: toMs(held.expires_at),
      setByType: held.set_by_type,
      setById: held.set_by_id,
      setAtMs: held.set_at.getTime(),
    })),
    secrets: secrets.map((secret) => ({
      id: String(secret.id),
      hash: Buffer.from(secret.hash).toString("hex"),
      hint: secret.hint,
      createdAtMs: secret.created_at.getTime(),
      validUntilMs: toMs(secret.valid_until),
    })),
  };
}

export async function restrictApiKeyRow(
  tx: Tx,
  id: string,
  restriction: ApiKeyRestriction,
  nowMs: number,
): Promise<void> {
  const { status, permission, expiresAtMs } = restriction;
  const { allowedModels, allowedAddresses, allowedOrigins } = restriction;
  const { userDirectoryId, requiresUser } = restriction;
  await tx
    .updateTable("api_key")
    .set({
      ...(status !== undefined && { status }),
      ...(status === "archived" && { archived_at: new Date(nowMs) }),
      ...(permission !== undefined && { permission }),
      ...(expiresAtMs !== undefined && { expires_at: toDate(expiresAtMs) }),
      ...(allowedModels !== undefined && { allowed_models: allowedModels }),
      ...(allowedAddresses !== undefined && { allowed_addresses: allowedAddresses }),
      ...(allowedOrigins !== undefined && { allowed_origins: allowedOrigins }),
      ...(userDirectoryId !== undefined && { user_directory_id: userDirectoryId }),
      ...(requiresUser !== undefined && { requires_user: requiresUser }),
    })
    .where("id", "=", id)
    .execute();
}

/** Replaces the restrictions of these ranks. */
export async function replaceRanks(
  tx: Tx,
  apiKeyId: string,
  ranks: readonly RankState[],
): Promise<void> {
  for (const { rank, ...state } of ranks) {
    const values = {
      is_disabled: state.isDisabled,
      allowed_models: state.allowedModels,
      allowed_addresses: state.allowedAddresses,
      expires_at: toDate(state.expiresAtMs),
      set_by_type: state.setByType,
      set_by_id: state.setById,
      set_at: new Date(state.setAtMs),
    };
    await tx
      .insertInto("api_key_restriction")
      .values({ api_key_id: apiKeyId, rank, ...values })
      .onConflict((conflict) => conflict.columns(["api_key_id", "rank"]).doUpdateSet(values))
      .execute();
  }
}

/** Ends secrets first, because a key has at most one current secret. */
export async function replaceSecrets(
  tx: Tx,
  apiKeyId: string,
  { ended, added }: { ended: readonly SecretState[]; added: readonly SecretState[] },
): Promise<void> {
  for (const { hash, validUntilMs } of ended) {
    await tx
      .updateTable("api_key_secret")
      .set({ valid_until: toDate(validUntilMs) })
      .where("api_key_id", "=", apiKeyId)
      .where("hash", "=", Buffer.from(hash, "hex"))
      .execute();
  }
  for (const { hash, hint, createdAtMs, validUntilMs } of added) {
    await tx
      .insertInto("api_key_secret")
      .values({
        api_key_id: apiKeyId,
        hash: Buffer.from(hash, "hex"),
        hint,
        created_at: new Date(createdAtMs),
        valid_until: toDate(validUntilMs),
      })
      .execute();
  }
}

export async function lockAdminKey(tx: Tx, id: string): Promise<AdminKeyState | null> {
  const key = await tx
    .selectFrom("admin_key")
    .select(["status", "expires_at"])
    .where("id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (key === undefined) return null;
  return { type: "admin_key", id, status: key.status, expiresAtMs: toMs(key.expires_at) };
}

export async function restrictAdminKeyRow(
  tx: Tx,
  id: string,
  { status, expiresAtMs }: Partial<Pick<AdminKeyState, "status" | "expiresAtMs">>,
  nowMs: number,
): Promise<void> {
  await tx
    .updateTable("admin_key")
    .set({
      ...(status !== undefined && { status }),
      ...(status === "revoked" && { revoked_at: new Date(nowMs) }),
      ...(expiresAtMs !== undefined && { expires_at: toDate(expiresAtMs) }),
    })
    .where("id", "=", id)
    .execute();
}

export async function lockWorkspace(tx: Tx, id: string): Promise<WorkspaceState | null> {
  const workspace = await tx
    .selectFrom("workspace")
    .select("archived_at")
    .where("id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (workspace === undefined) return null;
  const rules = await tx
    .selectFrom("personal_key_rules")
    .select(["personal_keys", "personal_key_models"])
    .select(["personal_key_lifetime_days", "personal_keys_per_member"])
    .where("workspace_id", "=", id)
    .executeTakeFirst();
  return {
    type: "workspace",
    id,
    archivedAtMs: toMs(workspace.archived_at),
    personalKeys: rules ?? {
      personal_keys: "off",
      personal_key_models: null,
      personal_key_lifetime_days: null,
      personal_keys_per_member: null,
    },
  };
}

/** The caller has locked the workspace. */
export async function restrictPersonalKeys(
  tx: Tx,
  id: string,
  { personal_key_models: models, ...others }: PersonalKeyRules,
): Promise<void> {
  const rules = { ...others, personal_key_models: models && [...models] };
  await tx
    .insertInto("personal_key_rules")
    .values({ workspace_id: id, ...rules })
    .onConflict((conflict) => conflict.column("workspace_id").doUpdateSet(rules))
    .execute();
}

/** Archives the workspace and its keys. */
export async function archiveWorkspace(
  tx: Tx,
  { id, organizationId, archivedAt }: { id: string; organizationId: string; archivedAt: Date },
): Promise<void> {
  await tx.updateTable("workspace").set({ archived_at: archivedAt }).where("id", "=", id).execute();
  await archiveApiKeysOfWorkspace(tx, { organizationId, workspaceId: id, archivedAt });
}

/** Returns false if the invite does not exist, was revoked before, or is accepted. */
export async function revokeInvite(
  tx: Tx,
  { id, revokedAt }: { id: string; revokedAt: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("invite")
    .set({ revoked_at: revokedAt, is_open: false })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .where("accepted_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** State of a member whose organization is locked. Omits sessions that started after the failover. */
export async function findMemberState(tx: Tx, id: string): Promise<MemberState | null> {
  const member = await tx
    .selectFrom("member")
    .select(["status", "role"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (member === undefined) return null;
  const workspaces = await tx
    .selectFrom("workspace_member")
    .select(["workspace_id as id", "role"])
    .where("member_id", "=", id)
    .execute();
  const groups = await tx
    .selectFrom("group_member")
    .select("group_id")
    .where("member_id", "=", id)
    .execute();
  const sessions = await tx
    .selectFrom("auth_session")
    .select("id")
    .where("user_id", "=", id)
    .where("started_at", "<", ({ selectFrom }) =>
      selectFrom("incarnation").select("raised_at").orderBy("value", "desc").limit(1),
    )
    .execute();
  const groupIds = groups.map((row) => row.group_id);
  const sessionIds = sessions.map((row) => row.id);
  return { type: "member", id, ...member, workspaces, groupIds, sessionIds };
}

export async function leaveGroups(
  tx: Tx,
  of: { memberId: string; groupIds: readonly string[] },
): Promise<void> {
  for (const table of ["group_member", "scim_group_member"] as const) {
    await tx
      .deleteFrom(table)
      .where("member_id", "=", of.memberId)
      .where("group_id", "in", [...of.groupIds, ""])
      .execute();
  }
}

/** State of a group whose organization is locked. */
export async function findGroupState(tx: Tx, id: string): Promise<GroupState | null> {
  const group = await tx
    .selectFrom("member_group")
    .select(["allowed_models", "model_lists"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (group === undefined) return null;
  const workspaces = await tx
    .selectFrom("group_workspace")
    .select(["workspace_id as id", "role"])
    .where("group_id", "=", id)
    .execute();
  return { type: "group", id, models: group, workspaces };
}

export async function restrictGroupRows(
  tx: Tx,
  id: string,
  { models, workspaces }: GroupRestriction,
): Promise<void> {
  if (models !== undefined) {
    const { allowed_models, model_lists } = models;
    await tx
      .updateTable("member_group")
      .set({ allowed_models, model_lists: model_lists && JSON.stringify(model_lists) })
      .where("id", "=", id)
      .execute();
  }
  for (const { id: workspaceId, role } of workspaces) {
    if (role === null) {
      await tx
        .deleteFrom("group_workspace")
        .where("group_id", "=", id)
        .where("workspace_id", "=", workspaceId)
        .execute();
    } else {
      await tx
        .updateTable("group_workspace")
        .set({ role })
        .where("group_id", "=", id)
        .where("workspace_id", "=", workspaceId)
        .execute();
    }
  }
}

export async function setWorkspaceRole(
  tx: Tx,
  of: {
    memberId: string;
    workspaceId: string;
    role: MemberState["workspaces"][number]["role"] | null;
  },
): Promise<void> {
  const { memberId, workspaceId, role } = of;
  if (role === null) return deleteAssignedRole(tx, { memberId, workspaceId });
  await tx
    .updateTable("workspace_member")
    .set({ role })
    .where("member_id", "=", memberId)
    .where("workspace_id", "=", workspaceId)
    .execute();
}

export async function endSessionsById(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .deleteFrom("auth_session")
    .where("id", "in", [...ids])
    .execute();
}

function toMs(date: Date | null): number | null {
  return date?.getTime() ?? null;
}

function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
