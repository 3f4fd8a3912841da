import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { listKeyColumns, type RowValue, type SignedTable } from "./row-content.ts";

/** A row as JSON, with its MAC. */
export interface JsonRow {
  readonly [column: string]: RowValue;
}

export interface ChangedRow {
  id: bigint;
  table: SignedTable;
  /** The row before the change. Null: it is new. */
  before: JsonRow | null;
  after: JsonRow;
}

/**
 * Takes the changes of signed columns that this transaction made, in order. The system column `xmin` proves that this
 * transaction recorded a change, because no statement can set it.
 */
export async function takeChangedRows(tx: Tx): Promise<ChangedRow[]> {
  const { rows } = await sql<ChangedRow>`
    DELETE FROM row_change
    WHERE xact = pg_current_xact_id_if_assigned() AND xmin = pg_current_xact_id_if_assigned()::xid
    RETURNING id, table_name AS "table", old_row AS before, new_row AS after`.execute(tx);
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Deletes changes of finished transactions, which signed nothing. */
export async function deleteOldChanges(db: Database): Promise<void> {
  await sql`DELETE FROM row_change WHERE xact < pg_snapshot_xmin(pg_current_snapshot())`.execute(
    db,
  );
}

export interface NewMac {
  row: JsonRow;
  mac: Uint8Array;
}

/** Stores MACs of rows that this transaction has locked. */
export async function saveMacs(
  tx: Tx,
  table: SignedTable,
  signed: readonly NewMac[],
): Promise<void> {
  const macs = signed.map(({ mac }) => mac);
  const keys = listKeyColumns(table);
  const type = sql.raw(table === "api_key_secret" ? "bigint[]" : "text[]");
  const values = keys.map(
    (column) => sql`${signed.map(({ row }) => String(row[column]))}::${type}`,
  );
  const isSame = keys.map((column) => sql`stored.${sql.ref(column)} = signed.${sql.ref(column)}`);
  await sql`
    UPDATE ${sql.table(table)} AS stored SET mac = signed.mac
    FROM unnest(${sql.join(values)}, ${macs}::bytea[])
      AS signed (${sql.join(keys.map((column) => sql.ref(column)))}, mac)
    WHERE ${sql.join(isSame, sql` AND `)}`.execute(tx);
}

/** Reads all rows of a table as JSON, with locks until the transaction ends. */
export async function lockAllRows(tx: Tx, table: SignedTable): Promise<JsonRow[]> {
  const { rows } = await sql<{ row: JsonRow }>`
    SELECT to_jsonb(stored) AS row FROM ${sql.table(table)} AS stored FOR NO KEY UPDATE`.execute(
    tx,
  );
  return rows.map(({ row }) => row);
}

/** Position of a row in its table, its reported id, its workspace, and the condition on the organization. */
const places = {
  api_key: ["stored.id", "stored.id", "stored.workspace_id", "stored.organization_id"],
  api_key_secret: [
    "lpad(stored.id::text, 20, '0')",
    "stored.api_key_id",
    "NULL",
    "(SELECT organization_id FROM api_key WHERE id = stored.api_key_id)",
  ],
  admin_key: ["stored.id", "stored.id", "NULL", "stored.organization_id"],
  member: ["stored.id", "stored.id", "NULL", "stored.organization_id"],
  workspace_member: [
    "stored.workspace_id || ' ' || stored.member_id",
    "stored.member_id",
    "stored.workspace_id",
    "(SELECT organization_id FROM member WHERE id = stored.member_id)",
  ],
  member_group: ["stored.id", "stored.id", "NULL", "stored.organization_id"],
  group_member: [
    "stored.group_id || ' ' || stored.member_id",
    "stored.group_id || ' ' || stored.member_id",
    "NULL",
    "(SELECT organization_id FROM member WHERE id = stored.member_id)",
  ],
  group_workspace: [
    "stored.group_id || ' ' || stored.workspace_id",
    "stored.group_id",
    "stored.workspace_id",
    "(SELECT organization_id FROM workspace WHERE id = stored.workspace_id)",
  ],
  scim_group_member: [
    "stored.group_id || ' ' || stored.member_id",
    "stored.group_id || ' ' || stored.member_id",
    "NULL",
    "(SELECT organization_id FROM member WHERE id = stored.member_id)",
  ],
  scim_token: ["stored.id", "stored.id", "NULL", "stored.organization_id"],
  personal_key_rules: [
    "stored.workspace_id",
    "stored.workspace_id",
    "stored.workspace_id",
    "(SELECT organization_id FROM workspace WHERE id = stored.workspace_id)",
  ],
  managed_settings_version: ["stored.id", "stored.id", "NULL", "stored.organization_id"],
  auth_session: [
    "stored.id",
    "stored.id",
    "NULL",
    "(SELECT organization_id FROM member WHERE id = stored.user_id)",
  ],
} as const satisfies Record<SignedTable, readonly [string, string, string, string]>;

export interface PlacedRow {
  row: JsonRow;
  place: string;
  id: string;
  workspaceId: string | null;
}

/** Lists rows of an organization after a position. */
export async function listRowsOfOrganization(
  db: Database,
  table: SignedTable,
  of: { organizationId: string; after: string; limit: number },
): Promise<PlacedRow[]> {
  const [place, id, workspaceId, organizationId] = places[table].map((each) => sql.raw(each));
  const { rows } = await sql<PlacedRow>`
    SELECT to_jsonb(stored) AS row, ${place} AS place, ${id} AS id, ${workspaceId} AS "workspaceId"
    FROM ${sql.table(table)} AS stored
    WHERE ${organizationId} = ${of.organizationId}::uuid AND (${place}) COLLATE "C" > ${of.after}
    ORDER BY (${place}) COLLATE "C" LIMIT ${of.limit}`.execute(db);
  return rows;
}

/** Nodes without contact for so long count as stopped. The database refuses them afterwards. */
const SILENT_MS = 10 * 60_000;

/** True if a node that signs no rows was in contact lately. */
export async function hasUnsigningNode(db: Database | Tx): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    SELECT EXISTS (SELECT FROM node
      WHERE NOT signs_rows AND seen_at > now() - ${SILENT_MS} * interval '1 ms') AS has`.execute(
    db,
  );
  return rows[0]?.has !== false;
}

/** Makes the database refuse nodes that sign no rows. */
export async function markRowsSigned(db: Database | Tx): Promise<void> {
  await sql`
    INSERT INTO installation (key, value) VALUES ('rows_signed_at', now()::text) ON CONFLICT (key) DO NOTHING`.execute(
    db,
  );
}
