import type { KeyPermission } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { KeyPurpose } from "#src/db/tables.ts";
import type { OwnerState } from "#src/domain/owner-state.ts";
import { type AddressRange, compileRanges } from "./address-ranges.ts";
import { ownerState, permissionUnderOwner } from "./owner-state.sql.ts";

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
  /** `playground`: for a member's session of the console's playground. */
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
  /** Names and `prefix*` patterns. Null: all models. */
  allowedModels: readonly string[] | null;
  /** Null: all addresses. */
  allowedAddresses: readonly AddressRange[] | null;
}

/** Finds a key by the SHA-256 of its secret, or null. */
export async function findApiKeyByHash(
  db: Database | Tx,
  secretHash: Uint8Array,
): Promise<FoundKey | null> {
  const [found] = await findApiKeysByHashes(db, [secretHash]);
  return found ?? null;
}

/** Finds keys by the SHA-256 of their secrets, in order, null for unknown ones. One statement on one unique index. */
export async function findApiKeysByHashes(
  db: Database | Tx,
  secretHashes: readonly Uint8Array[],
): Promise<(FoundKey | null)[]> {
  const rows = await selectFoundKeys(db)
    .where("api_key_secret.hash", "=", sql<Uint8Array>`ANY(${secretHashes}::bytea[])`)
    .execute();
  const byHash = new Map(rows.map((row) => [nameOf(row.hash), toFoundKey(row)]));
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
      "workspace.archived_at",
      "api_key_secret.id as secret_id",
      "api_key_secret.hash",
      "api_key_secret.valid_until",
      isHeld.as("is_held"),
      permissionUnderOwner.as("permission"),
      ownerState.as("owner_state"),
    ]);
}

/** Queried only for inactive keys. */
const isHeld = sql<boolean>`api_key.status = 'inactive' AND EXISTS (SELECT FROM held_key WHERE key_id = api_key.id)`;

type FoundRow = Awaited<ReturnType<ReturnType<typeof selectFoundKeys>["execute"]>>[number];

function toFoundKey(row: FoundRow): FoundKey {
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
    allowedModels: row.allowed_models,
    allowedAddresses: row.allowed_addresses && compileRanges(row.allowed_addresses),
  };
}
