import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

export interface PlaygroundKey {
  id: string;
  organizationId: string;
  workspaceId: string;
  memberId: string;
  name: string;
  createdAt: Date;
  expiresAt: Date;
  allowedModels: string[] | null;
  allowedAddresses: string[] | null;
}

/** Creates or updates the member's playground key of the workspace. Returns its id. */
export async function savePlaygroundKey(tx: Tx, key: PlaygroundKey): Promise<string> {
  const changing = {
    name: key.name,
    expires_at: key.expiresAt,
    allowed_models: key.allowedModels,
    allowed_addresses: key.allowedAddresses,
  };
  const row = await tx
    .insertInto("api_key")
    .values({
      id: key.id,
      organization_id: key.organizationId,
      workspace_id: key.workspaceId,
      permission: "write",
      purpose: "playground",
      owner_member_id: key.memberId,
      created_by_type: "member",
      created_by_id: key.memberId,
      created_at: key.createdAt,
      ...changing,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["owner_member_id", "workspace_id"])
        // No parameter: a plan without its value finds no index for the conflict.
        .where(sql<boolean>`purpose = 'playground'`)
        .doUpdateSet(changing),
    )
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function insertSession(
  tx: Tx,
  session: {
    id: string;
    apiKeyId: string;
    /** Sign-in session. Its end also ends the playground session. */
    authSessionId: string;
    hash: Uint8Array;
    hint: string;
    createdAt: Date;
    expiresAt: Date;
  },
): Promise<void> {
  await tx
    .insertInto("api_key_secret")
    .values({
      api_key_id: session.apiKeyId,
      hash: session.hash,
      hint: session.hint,
      created_at: session.createdAt,
      valid_until: session.expiresAt,
      playground_session_id: session.id,
      auth_session_id: session.authSessionId,
    })
    .execute();
}

/** Ends the oldest sessions of a key beyond `maxSessions`, and deletes those that ended before `deleteBefore`. */
export async function limitSessions(
  tx: Tx,
  of: { apiKeyId: string; maxSessions: number; now: Date; deleteBefore: Date },
): Promise<void> {
  await tx
    .deleteFrom("api_key_secret")
    .where("api_key_id", "=", of.apiKeyId)
    .where("valid_until", "<", of.deleteBefore)
    .execute();
  await tx
    .updateTable("api_key_secret")
    .set({ valid_until: of.now })
    .where("id", "in", (eb) =>
      eb
        .selectFrom("api_key_secret")
        .select("id")
        .where("api_key_id", "=", of.apiKeyId)
        .where("valid_until", ">", of.now)
        .orderBy("id", "desc")
        .offset(of.maxSessions),
    )
    .execute();
}

export interface SessionRow {
  secretId: bigint;
  apiKeyId: string;
  workspaceId: string;
  expiresAt: Date;
}

/** Finds the member's own session and locks it until the transaction ends. */
export async function lockSession(
  tx: Tx,
  of: { organizationId: string; memberId: string; id: string },
): Promise<SessionRow | null> {
  const row = await tx
    .selectFrom("api_key_secret as secret")
    .innerJoin("api_key", "api_key.id", "secret.api_key_id")
    .select([
      "secret.id as secretId",
      "secret.valid_until as expiresAt",
      "api_key.id as apiKeyId",
      "api_key.workspace_id as workspaceId",
    ])
    .where("secret.playground_session_id", "=", of.id)
    .where("api_key.organization_id", "=", of.organizationId)
    .where("api_key.owner_member_id", "=", of.memberId)
    .forUpdate("secret")
    .executeTakeFirst();
  if (!row || row.expiresAt === null) return null;
  return { ...row, expiresAt: row.expiresAt };
}

export async function endSession(tx: Tx, of: { secretId: bigint; now: Date }): Promise<void> {
  await tx
    .updateTable("api_key_secret")
    .set({ valid_until: of.now })
    .where("id", "=", of.secretId)
    .execute();
}
