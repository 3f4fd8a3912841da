// Columns that the MAC of a row covers. Each decides who may do what. Columns that are written often, such as the last
// use, are left out. The triggers of the migrations have the same columns.

type ColumnKind = "text" | "time" | "bytes" | "texts" | "json";

export const signedColumns = {
  api_key: {
    id: "text",
    organization_id: "text",
    workspace_id: "text",
    permission: "text",
    status: "text",
    purpose: "text",
    owner_member_id: "text",
    expires_at: "time",
    allowed_models: "texts",
    allowed_addresses: "texts",
    user_directory_id: "text",
    requires_user: "text",
    allowed_origins: "texts",
  },
  api_key_secret: {
    id: "text",
    api_key_id: "text",
    hash: "bytes",
    created_at: "time",
    valid_until: "time",
    playground_session_id: "text",
    auth_session_id: "text",
  },
  admin_key: {
    id: "text",
    organization_id: "text",
    status: "text",
    secret_hash: "bytes",
    expires_at: "time",
    scopes: "texts",
    allowed_addresses: "texts",
  },
  member: { id: "text", organization_id: "text", role: "text", status: "text" },
  workspace_member: { workspace_id: "text", member_id: "text", role: "text" },
  member_group: {
    id: "text",
    organization_id: "text",
    source: "text",
    directory_id: "text",
    external_id: "text",
    allowed_models: "texts",
    model_lists: "json",
  },
  group_member: { group_id: "text", member_id: "text", source: "text" },
  group_workspace: { group_id: "text", workspace_id: "text", role: "text" },
  scim_group_member: { group_id: "text", member_id: "text" },
  scim_token: {
    id: "text",
    organization_id: "text",
    directory_id: "text",
    secret_hash: "bytes",
    valid_until: "time",
    revoked_at: "time",
  },
  personal_key_rules: {
    workspace_id: "text",
    personal_keys: "text",
    personal_key_models: "texts",
    personal_key_lifetime_days: "text",
    personal_keys_per_member: "text",
  },
  managed_settings_version: {
    id: "text",
    organization_id: "text",
    version: "text",
    policies: "text",
  },
  auth_session: {
    id: "text",
    token: "text",
    user_id: "text",
    started_at: "time",
    stepped_up_at: "time",
  },
} as const satisfies Record<string, Record<string, ColumnKind>>;

export type SignedTable = keyof typeof signedColumns;

export const signedTables = Object.keys(signedColumns) as SignedTable[];

/** Columns that name a row, if it has no `id`. */
const primaryKeys: Partial<Record<SignedTable, readonly string[]>> = {
  workspace_member: ["workspace_id", "member_id"],
  group_member: ["group_id", "member_id"],
  group_workspace: ["group_id", "workspace_id"],
  scim_group_member: ["group_id", "member_id"],
  personal_key_rules: ["workspace_id"],
};

/** Returns the columns of the primary key. */
export function listKeyColumns(table: SignedTable): readonly string[] {
  return primaryKeys[table] ?? ["id"];
}

/** Returns the primary key of a row as text. */
export function nameRow(table: SignedTable, row: Readonly<Record<string, RowValue>>): string {
  return listKeyColumns(table)
    .map((column) => String(row[column]))
    .join(" ");
}

/** Value of a column, as the driver reads it or as text in JSON. */
export type RowValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | readonly string[]
  | { readonly [name: string]: unknown }
  | null;

/** The signed columns of a row. Other columns are ignored. */
export type RowContent<Table extends SignedTable> = {
  readonly [Column in keyof (typeof signedColumns)[Table]]: RowValue;
};

/**
 * Formats the signed columns as one text, the same for a row from the driver and for a row as JSON. Columns without a
 * value are omitted, so a new column without a value does not change the text. Times have milliseconds.
 */
export function formatContent<Table extends SignedTable>(
  table: Table,
  row: RowContent<Table>,
): string {
  const columns: Record<string, ColumnKind> = signedColumns[table];
  const values: Record<string, RowValue> = row;
  const content = Object.entries(columns).flatMap(([name, kind]) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`${table}.${name} was not read`);
    return value === null ? [] : [[name, formatValue(kind, value)]];
  });
  return JSON.stringify([table, ...content]);
}

function formatValue(kind: ColumnKind, value: NonNullable<RowValue>): string | readonly string[] {
  switch (kind) {
    case "text":
      return String(value);
    case "time":
      return (value instanceof Date ? value : new Date(String(value))).toISOString();
    case "bytes":
      return value instanceof Uint8Array
        ? Buffer.from(value).toString("hex")
        : String(value).replace("\\x", "");
    // PostgreSQL stores the names of jsonb in one order, so both readers of a row see the same.
    case "json":
      return JSON.stringify(value);
    case "texts":
      return Array.isArray(value) ? value : [String(value)];
  }
}
