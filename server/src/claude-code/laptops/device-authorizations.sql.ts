import type { Database, Tx } from "#src/db/pool.ts";

export interface NewDeviceAuthorization {
  id: string;
  device_code_hash: Uint8Array;
  user_code_hash: Uint8Array;
  client_version: string | null;
  address: string | null;
  created_at: Date;
  expires_at: Date;
}

/** Returns false if the user code is in use. */
export async function insertDeviceAuthorization(
  db: Database,
  row: NewDeviceAuthorization,
): Promise<boolean> {
  const inserted = await db
    .insertInto("device_authorization")
    .values(row)
    .onConflict((conflict) => conflict.column("user_code_hash").doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted !== undefined;
}

export type DeviceAuthorizationRow = NewDeviceAuthorization & {
  status: "pending" | "approved" | "denied" | "used";
  session_id: string | null;
  laptop_id: string | null;
  /** Null: no end. */
  laptop_ends_at: Date | null;
};

const columns = [
  "id",
  "device_code_hash",
  "user_code_hash",
  "client_version",
  "address",
  "created_at",
  "expires_at",
  "status",
  "session_id",
  "laptop_id",
  "laptop_ends_at",
] as const;

export async function findByDeviceCode(
  db: Database | Tx,
  deviceCodeHash: Uint8Array,
): Promise<DeviceAuthorizationRow | null> {
  const row = await db
    .selectFrom("device_authorization")
    .select(columns)
    .where("device_code_hash", "=", deviceCodeHash)
    .executeTakeFirst();
  return row ?? null;
}

/** Binds a pending authorization to the session, unless another one has it. Returns null then. */
export async function bindUserCode(
  db: Database | Tx,
  of: { userCodeHash: Uint8Array; sessionId: string; now: Date },
): Promise<DeviceAuthorizationRow | null> {
  const row = await db
    .updateTable("device_authorization")
    .set({ session_id: of.sessionId })
    .where("user_code_hash", "=", of.userCodeHash)
    .where("status", "=", "pending")
    .where("expires_at", ">", of.now)
    .where((eb) => eb.or([eb("session_id", "is", null), eb("session_id", "=", of.sessionId)]))
    .returning(columns)
    .executeTakeFirst();
  return row ?? null;
}

/** Finds a pending authorization that the session has bound, and locks it until the transaction ends. */
export async function lockBoundUserCode(
  tx: Tx,
  of: { userCodeHash: Uint8Array; sessionId: string; now: Date },
): Promise<DeviceAuthorizationRow | null> {
  const row = await tx
    .selectFrom("device_authorization")
    .select(columns)
    .where("user_code_hash", "=", of.userCodeHash)
    .where("status", "=", "pending")
    .where("expires_at", ">", of.now)
    .where("session_id", "=", of.sessionId)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export async function saveDecision(
  tx: Tx,
  id: string,
  decision:
    | { status: "denied" }
    | { status: "approved"; laptop_id: string; laptop_ends_at: Date | null },
): Promise<void> {
  await tx.updateTable("device_authorization").set(decision).where("id", "=", id).execute();
}

/** Marks an approved authorization as used. Returns false if it was used before. */
export async function useDeviceCode(tx: Tx, id: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("device_authorization")
    .set({ status: "used" })
    .where("id", "=", id)
    .where("status", "=", "approved")
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function deleteDeviceAuthorizations(db: Database, endedBefore: Date): Promise<void> {
  await db.deleteFrom("device_authorization").where("expires_at", "<", endedBefore).execute();
}

/** Returns the text that the company shows at a sign-in. Null: none. */
export async function findLoginNotice(
  db: Database,
  organizationId: string,
): Promise<string | null> {
  const row = await db
    .selectFrom("organization")
    .select("login_notice")
    .where("id", "=", organizationId)
    .executeTakeFirst();
  return row?.login_notice ?? null;
}
