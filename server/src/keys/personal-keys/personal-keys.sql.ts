import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PersonalKeyRules } from "#src/domain/wider-access.ts";
import { type ApiKeyRow, findApiKey } from "#src/keys/api-keys/api-keys.sql.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";

/** A workspace with its rules for personal keys. */
export interface PersonalKeyPlace extends PersonalKeyRules {
  id: string;
  name: string;
  display_color: string;
  archived_at: Date | null;
  personal_key_models: string[] | null;
}

function selectPlaces(db: Database | Tx, organizationId: string) {
  return db
    .selectFrom("workspace")
    .leftJoin("personal_key_rules as rules", "rules.workspace_id", "workspace.id")
    .select(["workspace.id", "workspace.name", "workspace.display_color", "workspace.archived_at"])
    .select(["rules.personal_keys", "rules.personal_key_models", "rules.mac"])
    .select(["rules.personal_key_lifetime_days", "rules.personal_keys_per_member"])
    .where("workspace.organization_id", "=", organizationId);
}

type PlaceRow = Awaited<ReturnType<ReturnType<typeof selectPlaces>["execute"]>>[number];

const noRules = {
  personal_keys: "off",
  personal_key_models: null,
  personal_key_lifetime_days: null,
  personal_keys_per_member: null,
} as const;

/** Rules that the server did not write allow no personal keys. */
function toPlace({ mac, ...row }: PlaceRow, rows: RowSigner): PersonalKeyPlace {
  const { id, name, display_color, archived_at, personal_keys } = row;
  const place = { id, name, display_color, archived_at };
  const isUsable =
    personal_keys !== null &&
    rows.isUsable("personal_key_rules", { ...row, workspace_id: id }, mac);
  return isUsable ? { ...row, personal_keys } : { ...place, ...noRules };
}

/** Finds the workspace. Locks it until the transaction ends, so that it cannot be archived or get other rules meanwhile. */
export async function lockPersonalKeyPlace(
  tx: Tx,
  rows: RowSigner,
  of: { organizationId: string; workspaceId: string },
): Promise<PersonalKeyPlace | null> {
  await tx
    .selectFrom("workspace")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.workspaceId)
    .forNoKeyUpdate()
    .execute();
  return findPersonalKeyPlace(tx, rows, of);
}

/** Finds the workspace, which the caller has locked. */
export async function findPersonalKeyPlace(
  tx: Tx,
  rows: RowSigner,
  of: { organizationId: string; workspaceId: string },
): Promise<PersonalKeyPlace | null> {
  const row = await selectPlaces(tx, of.organizationId)
    .where("workspace.id", "=", of.workspaceId)
    .executeTakeFirst();
  return row === undefined ? null : toPlace(row, rows);
}

/**
 * Lists active workspaces by name: those in `writableIds` (null: all), those in `memberIds` that allow personal keys, and then
 * those that allow everyone. Returns one row more than `limit` if there are more.
 */
export async function listPersonalKeyPlaces(
  { database, rows }: { database: Database; rows: RowSigner },
  of: {
    organizationId: string;
    writableIds: readonly string[] | null;
    memberIds: readonly string[];
    canJoin: boolean;
    name: string | undefined;
    limit: number;
  },
): Promise<PersonalKeyPlace[]> {
  const { writableIds, memberIds, name } = of;
  const isWritable = writableIds === null ? sql`true` : sql`id = ANY(${[...writableIds]}::text[])`;
  const isMember = sql`(id = ANY(${[...memberIds]}::text[]) AND rules.personal_keys <> 'off')`;
  const isOwn = sql<boolean>`(${isWritable} OR ${isMember})`;
  let query = selectPlaces(database, of.organizationId)
    .where("workspace.archived_at", "is", null)
    .where(sql<boolean>`(${isOwn} OR (${of.canJoin} AND rules.personal_keys = 'everyone'))`);
  if (name !== undefined) {
    query = query.where(sql<boolean>`strpos(lower(name), lower(${name})) > 0`);
  }
  const places = await query
    .orderBy(isOwn, "desc")
    .orderBy(sql`lower(name)`)
    .orderBy("workspace.id")
    .limit(of.limit + 1)
    .execute();
  return places.map((row) => toPlace(row, rows));
}

/** Counts the member's personal keys that are neither archived nor expired, by workspace, without Claude Code keys. */
export async function countLivingKeysByWorkspace(
  db: Database | Tx,
  of: { organizationId: string; memberId: string; workspaceIds: readonly string[]; now: Date },
): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("api_key")
    .select((eb) => ["workspace_id", eb.fn.countAll().as("count")])
    .where("organization_id", "=", of.organizationId)
    .where("owner_member_id", "=", of.memberId)
    .where(sql<boolean>`workspace_id = ANY(${[...of.workspaceIds]}::text[])`)
    .where("purpose", "=", "calls")
    .where("status", "!=", "archived")
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", of.now)]))
    .groupBy("workspace_id")
    .execute();
  return new Map(rows.map((row) => [row.workspace_id, Number(row.count)]));
}

/** A person who can allow personal keys. */
export interface Contact {
  name: string;
  email: string;
}

/** Lists active administrators: those of the workspaces first, then those of the organization. */
export async function listContacts(
  db: Database,
  of: { organizationId: string; workspaceIds: readonly string[]; limit: number },
): Promise<Contact[]> {
  const administersOne = sql<boolean>`EXISTS (
    SELECT FROM workspace_member
    WHERE workspace_member.member_id = member.id AND workspace_member.role = 'workspace_admin'
      AND workspace_member.workspace_id = ANY(${[...of.workspaceIds]}::text[]))`;
  return await db
    .selectFrom("member")
    .select(["name", "email"])
    .where("organization_id", "=", of.organizationId)
    .where("status", "=", "active")
    .where(sql<boolean>`(role IN ('owner', 'admin') OR ${administersOne})`)
    .orderBy(administersOne, "desc")
    .orderBy(sql`role = 'admin'`, "desc")
    .orderBy("created_at")
    .orderBy("id")
    .limit(of.limit)
    .execute();
}

/** Finds the member's Claude Code key of the workspace, and locks it until the transaction ends. */
export async function lockClaudeCodeKey(
  tx: Tx,
  of: { organizationId: string; memberId: string; workspaceId: string },
): Promise<ApiKeyRow | null> {
  const row = await tx
    .selectFrom("api_key")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("owner_member_id", "=", of.memberId)
    .where("workspace_id", "=", of.workspaceId)
    .where("purpose", "=", "claude_code")
    .where("status", "!=", "archived")
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) return null;
  return findApiKey(tx, { organizationId: of.organizationId, onlyWorkspaceIds: null }, row.id);
}
