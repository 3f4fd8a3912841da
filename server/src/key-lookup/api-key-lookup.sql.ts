import type { KeyPermission } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { KeyPurpose } from "#src/db/tables.ts";
import { intersectModelLists } from "#src/domain/allowed-models.ts";
import { combineGroupModels, type GroupModels } from "#src/domain/group-models.ts";
import type { OwnerState } from "#src/domain/owner-state.ts";
import type { JsonRow } from "#src/signed-rows/changed-rows.sql.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { isUsableJson } from "#src/signed-rows/signed-transaction.ts";
import { type AddressRange, compileRanges } from "./address-ranges.ts";
import { ownerState, permissionUnderOwner, seesOwnUsageOnly } from "./owner-state.sql.ts";

/**
 * Workspace key for authentication, found by one of its secrets. Inactive keys and expired secrets are found too, so
 * that a 401 can state the reason. Times are milliseconds since the epoch on the database's clock.
 */
export interface FoundKey {
  id: string;
  organizationId: string;
  workspaceId: string;
  /** Permission of the key, limited by its owner's. */
  permission: KeyPermission;
  status: "active" | "inactive" | "archived";
  /** True if inactive because it was restored from a backup and not confirmed yet. */
  isHeld: boolean;
  /** `playground`: for sessions of the console's playground. `claude_code`: for laptops, with an access token. */
  purpose: KeyPurpose;
  /** Null: never. */
  expiresAtMs: number | null;
  isWorkspaceArchived: boolean;
  /** Id of the presented secret. */
  secretId: number;
  /** Time at which the presented secret ends after a rotation. Null: it is the current one. */
  secretValidUntilMs: number | null;
  /** Owner of a personal key. Null: the workspace owns it. */
  ownerMemberId: string | null;
  ownerState: OwnerState | null;
  /** Groups of the owner, sorted. None for a key of a workspace. */
  groupIds: readonly string[];
  /** Tags of the workspace, replaced by name by those of the key. Sorted. */
  tagIds: readonly string[];
  /** Tags that laptops of the owner can choose. Null: none, and for keys of other purposes. */
  groupTags: GroupTags | null;
  /** True for a personal key whose owner sees only their own usage in the workspace. */
  seesOwnUsageOnly: boolean;
  /** Names and `prefix*` patterns that the key and the groups of its owner allow. Null: all models. */
  allowedModels: readonly string[] | null;
  /** Null: all addresses. */
  allowedAddresses: readonly AddressRange[] | null;
  /** Directory whose users the requests of the key name. Null: requests name none. See forwarded-users.ts. */
  userDirectoryId: string | null;
  /** True if a request without a known user is refused. */
  requiresUser: boolean;
  /** Origins whose pages can use the key, or `*`. Null: no pages. */
  allowedOrigins: readonly string[] | null;
  /** True if this installation did not sign the key, the secret, or a role or group of the owner. */
  isUnsigned: boolean;
}

/** A tag whose value is the name of one of the owner's groups. */
export interface GroupTags {
  name: string;
  /** Tag of this name in `tagIds`, which a chosen one replaces. Null: none. */
  replacedId: string | null;
  /** Ids by value. */
  ids: Readonly<Record<string, string>>;
}

/** Finds a key by the SHA-256 of its secret, or null. */
export async function findApiKeyByHash(
  db: Database | Tx,
  rows: RowSigner,
  secretHash: Uint8Array,
): Promise<FoundKey | null> {
  const [found] = await findApiKeysByHashes(db, rows, [secretHash]);
  return found ?? null;
}

/** Finds keys by the SHA-256 of their secrets, in order, null for unknown ones. One statement on one unique index. */
export async function findApiKeysByHashes(
  db: Database | Tx,
  rows: RowSigner,
  secretHashes: readonly Uint8Array[],
): Promise<(FoundKey | null)[]> {
  const found = await selectFoundKeys(db)
    .where("api_key_secret.hash", "=", sql<Uint8Array>`ANY(${secretHashes}::bytea[])`)
    .execute();
  const byHash = new Map(found.map((row) => [nameOf(row.hash), toFoundKey(row, rows)]));
  return secretHashes.map((hash) => byHash.get(nameOf(hash)) ?? null);
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString("latin1");
}

function selectFoundKeys(db: Database | Tx) {
  return db
    .selectFrom("api_key_secret")
    .innerJoin("api_key", "api_key.id", "api_key_secret.api_key_id")
    .innerJoin("workspace", "workspace.id", "api_key.workspace_id")
    .leftJoin("member", "member.id", "api_key.owner_member_id")
    .leftJoin("workspace_member as owner_role", (join) =>
      join
        .onRef("owner_role.workspace_id", "=", "api_key.workspace_id")
        .onRef("owner_role.member_id", "=", "api_key.owner_member_id"),
    )
    .select([
      "api_key.id",
      "api_key.organization_id",
      "api_key.workspace_id",
      "api_key.status",
      "api_key.purpose",
      "api_key.expires_at",
      "api_key.owner_member_id",
      "api_key.allowed_models",
      "api_key.allowed_addresses",
      "api_key.user_directory_id",
      "api_key.requires_user",
      "api_key.allowed_origins",
      "api_key.permission as own_permission",
      "api_key.mac as key_mac",
      "workspace.archived_at",
      "api_key_secret.id as secret_id",
      "api_key_secret.hash",
      "api_key_secret.valid_until",
      "api_key_secret.created_at as secret_created_at",
      "api_key_secret.playground_session_id",
      "api_key_secret.auth_session_id",
      "api_key_secret.mac as secret_mac",
      "member.organization_id as owner_organization_id",
      "member.role as owner_role",
      "member.status as owner_status",
      "member.mac as owner_mac",
      "owner_role.role as owner_workspace_role",
      "owner_role.mac as owner_workspace_mac",
      isHeld.as("is_held"),
      permissionUnderOwner.as("permission"),
      ownerState.as("owner_state"),
      tagIds.as("tag_ids"),
      groupTags.as("group_tags"),
      ownerGroups.as("owner_groups"),
      seesOwnUsageOnly.as("sees_own_usage_only"),
    ]);
}

/** A group of the owner, with the signed rows that its effects come from. */
interface OwnerGroup {
  member_group: JsonRow & GroupModels & { id: string };
  group_member: JsonRow;
  /** Role in the workspace of the key. Null: the group gives none there. */
  group_workspace: JsonRow | null;
}

/** Null: no group. */
const ownerGroups = sql<OwnerGroup[] | null>`(
  SELECT json_agg(json_build_object('member_group', g, 'group_member', held, 'group_workspace', given) ORDER BY g.id COLLATE "C")
  FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
  LEFT JOIN group_workspace AS given ON given.group_id = g.id AND given.workspace_id = api_key.workspace_id
  WHERE held.member_id = api_key.owner_member_id)`;

/** Tags of a key, sorted, in a statement with `api_key` and `workspace`. An empty value removes the tag of the workspace. */
export const tagIds = sql<string[]>`ARRAY(
  SELECT tag_id(api_key.organization_id, own.name, own.value) COLLATE "C" AS id
  FROM jsonb_each_text(workspace.tags || api_key.tags) AS own (name, value)
  WHERE own.value <> '' ORDER BY id)`;

/** Queried only for keys of laptops. */
const groupTags = sql<GroupTags | null>`(
  SELECT json_build_object('name', o.billing_group_tag, 'replacedId', (
    SELECT tag_id(o.id, own.name, own.value) FROM jsonb_each_text(workspace.tags || api_key.tags) AS own (name, value)
    WHERE own.name = o.billing_group_tag AND own.value <> ''
  ), 'ids', coalesce((
    SELECT json_object_agg(g.name, tag_id(o.id, o.billing_group_tag, g.name))
    FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
    WHERE held.member_id = api_key.owner_member_id), '{}'))
  FROM organization AS o
  WHERE api_key.purpose = 'claude_code' AND o.id = api_key.organization_id AND o.billing_group_tag IS NOT NULL)`;

/** Queried only for inactive keys. */
const isHeld = sql<boolean>`api_key.status = 'inactive' AND EXISTS (SELECT FROM held_key WHERE key_id = api_key.id)`;

type FoundRow = Awaited<ReturnType<ReturnType<typeof selectFoundKeys>["execute"]>>[number];

/** Checks the key, its secret, and the rows that decide its owner's state. */
function isSigned(row: FoundRow, rows: RowSigner): boolean {
  const { secret_mac, own_permission, owner_member_id, owner_organization_id } = row;
  const key = { ...row, permission: own_permission };
  if (!rows.isUsable("api_key", key, row.key_mac)) return false;
  const secret = {
    ...row,
    id: row.secret_id,
    api_key_id: row.id,
    created_at: row.secret_created_at,
  };
  if (!rows.isUsable("api_key_secret", secret, secret_mac)) return false;
  if (owner_member_id === null) return true;
  const owner = {
    id: owner_member_id,
    organization_id: owner_organization_id,
    role: row.owner_role,
    status: row.owner_status,
  };
  if (!rows.isUsable("member", owner, row.owner_mac)) return false;
  if (!(row.owner_groups ?? []).every((group) => isGroupSigned(group, rows))) return false;
  if (row.owner_workspace_role === null) return true;
  const role = {
    workspace_id: row.workspace_id,
    member_id: owner_member_id,
    role: row.owner_workspace_role,
  };
  return rows.isUsable("workspace_member", role, row.owner_workspace_mac);
}

function isGroupSigned(group: OwnerGroup, rows: RowSigner): boolean {
  return (["member_group", "group_member", "group_workspace"] as const).every((table) => {
    const row = group[table];
    return row === null || isUsableJson(rows, table, row);
  });
}

/** One list for all keys without groups or tags. */
const NO_IDS: readonly string[] = [];

/** Models that the key and the groups of its owner allow. Null: all. */
function findAllowedModels({ allowed_models: own, owner_groups: groups }: FoundRow) {
  if (groups === null) return own;
  const given = combineGroupModels(groups.map(({ member_group }) => member_group));
  return intersectModelLists(own, given);
}

function toFoundKey(row: FoundRow, rows: RowSigner): FoundKey {
  return {
    id: row.id,
    organizationId: row.organization_id,
    workspaceId: row.workspace_id,
    permission: row.permission,
    status: row.status,
    isHeld: row.is_held,
    purpose: row.purpose,
    expiresAtMs: row.expires_at?.getTime() ?? null,
    isWorkspaceArchived: row.archived_at !== null,
    secretId: Number(row.secret_id),
    secretValidUntilMs: row.valid_until?.getTime() ?? null,
    ownerMemberId: row.owner_member_id,
    ownerState: row.owner_state,
    groupIds: row.owner_groups?.map(({ member_group }) => member_group.id) ?? NO_IDS,
    tagIds: row.tag_ids.length === 0 ? NO_IDS : row.tag_ids,
    groupTags: row.group_tags,
    seesOwnUsageOnly: row.sees_own_usage_only,
    allowedModels: findAllowedModels(row),
    allowedAddresses: row.allowed_addresses && compileRanges(row.allowed_addresses),
    userDirectoryId: row.user_directory_id,
    requiresUser: row.requires_user ?? false,
    allowedOrigins: row.allowed_origins,
    isUnsigned: !isSigned(row, rows),
  };
}
