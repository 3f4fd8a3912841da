import { type SqlBool, sql } from "kysely";
import type { LaptopEndReason } from "#src/db/laptop-tables.ts";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface LaptopRow {
  id: string;
  organization_id: string;
  secret_id: bigint;
  api_key_id: string;
  workspace_id: string;
  member_id: string;
  member_name: string;
  member_email: string;
  name: string;
  client_version: string | null;
  address: string | null;
  created_at: Date;
  rotated_at: Date;
  generation: number;
  is_confirmed: boolean;
  end_reason: LaptopEndReason | null;
  valid_until: Date;
  last_used_at: Date | null;
  last_used_address: string | null;
  last_used_model: string | null;
}

function selectLaptops(db: Database | Tx) {
  return db
    .selectFrom("laptop")
    .innerJoin("api_key_secret as secret", "secret.id", "laptop.secret_id")
    .innerJoin("member", "member.id", "laptop.member_id")
    .select([
      "laptop.id",
      "laptop.organization_id",
      "laptop.secret_id",
      "secret.api_key_id",
      "laptop.workspace_id",
      "laptop.member_id",
      "member.name as member_name",
      "member.email as member_email",
      "laptop.name",
      "laptop.client_version",
      "laptop.address",
      "laptop.created_at",
      "laptop.rotated_at",
      "laptop.generation",
      "laptop.is_confirmed",
      "laptop.end_reason",
      sql<Date>`secret.valid_until`.as("valid_until"),
      "secret.last_used_at",
      "secret.last_used_address",
      "secret.last_used_model",
    ]);
}

export interface LaptopFilter {
  organizationId: string;
  memberId?: string | undefined;
  workspaceId?: string | undefined;
  status?: "active" | "ended" | undefined;
  now: Date;
  /** Laptops with an older refresh token have ended. */
  rotatedAfter: Date;
}

/** SQL of whether a laptop works. */
const isActive = ({ now, rotatedAfter }: Pick<LaptopFilter, "now" | "rotatedAfter">) =>
  sql<SqlBool>`(secret.valid_until > ${now} AND laptop.rotated_at > ${rotatedAfter})`;

/** Counts active laptops by the groups of their members. */
export function countLaptopsByGroups(
  db: Database,
  filter: Pick<LaptopFilter, "organizationId" | "now" | "rotatedAfter">,
): Promise<{ groupIds: string[]; laptops: number }[]> {
  return db
    .selectFrom("laptop")
    .innerJoin("api_key_secret as secret", "secret.id", "laptop.secret_id")
    .select([
      sql<string[]>`ARRAY(SELECT group_id FROM group_member AS held
        WHERE held.member_id = laptop.member_id ORDER BY group_id)`.as("groupIds"),
      sql<number>`count(*)::integer`.as("laptops"),
    ])
    .where("laptop.organization_id", "=", filter.organizationId)
    .where(isActive(filter))
    .groupBy(sql`1`)
    .execute();
}

/** Lists the rows of a page, and one more if another page exists. */
export function listLaptops(
  db: Database,
  filter: LaptopFilter,
  page: PageRequest,
): Promise<LaptopRow[]> {
  const { memberId, workspaceId, status, now, rotatedAfter } = filter;
  let query = selectLaptops(db).where("laptop.organization_id", "=", filter.organizationId);
  if (memberId !== undefined) query = query.where("laptop.member_id", "=", memberId);
  if (workspaceId !== undefined) query = query.where("laptop.workspace_id", "=", workspaceId);
  if (status !== undefined) {
    query = query.where(sql<SqlBool>`${isActive({ now, rotatedAfter })} = ${status === "active"}`);
  }
  return selectPage(query, page, "laptop").execute();
}

export async function findLaptop(
  db: Database | Tx,
  of: { organizationId: string; id: string; memberId?: string },
): Promise<LaptopRow | null> {
  let query = selectLaptops(db)
    .where("laptop.organization_id", "=", of.organizationId)
    .where("laptop.id", "=", of.id);
  if (of.memberId !== undefined) query = query.where("laptop.member_id", "=", of.memberId);
  return (await query.executeTakeFirst()) ?? null;
}

/** Finds the laptop and locks it until the transaction ends. */
export async function lockLaptop(
  tx: Tx,
  of: { organizationId: string; id: string; memberId?: string },
): Promise<LaptopRow | null> {
  await tx
    .selectFrom("laptop")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forUpdate()
    .execute();
  return findLaptop(tx, of);
}

export interface NewLaptop {
  id: string;
  organization_id: string;
  member_id: string;
  workspace_id: string;
  name: string;
  client_version: string | null;
  address: string | null;
  created_at: Date;
}

/** Inserts a laptop with its secret. */
export async function insertLaptop(
  tx: Tx,
  laptop: NewLaptop,
  secret: { apiKeyId: string; hash: Uint8Array; hint: string; validUntil: Date },
): Promise<void> {
  const { id: secret_id } = await tx
    .insertInto("api_key_secret")
    .values({
      api_key_id: secret.apiKeyId,
      hash: secret.hash,
      hint: secret.hint,
      created_at: laptop.created_at,
      valid_until: secret.validUntil,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await tx
    .insertInto("laptop")
    .values({ ...laptop, secret_id, rotated_at: laptop.created_at })
    .execute();
}

export async function countOpenLaptops(tx: Tx, apiKeyId: string, now: Date): Promise<number> {
  const { count } = await tx
    .selectFrom("laptop")
    .innerJoin("api_key_secret as secret", "secret.id", "laptop.secret_id")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("secret.api_key_id", "=", apiKeyId)
    .where("secret.valid_until", ">", now)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function renameLaptop(tx: Tx, id: string, name: string): Promise<void> {
  await tx.updateTable("laptop").set({ name }).where("id", "=", id).execute();
}

/** Moves the end of a laptop that has not ended. Returns false for one that has. */
export async function extendLaptop(
  tx: Tx,
  of: { laptopId: string; until: Date; now: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("api_key_secret")
    .set({ valid_until: of.until })
    .where("id", "=", (eb) =>
      eb.selectFrom("laptop").select("secret_id").where("laptop.id", "=", of.laptopId),
    )
    .where("valid_until", ">", of.now)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Laptop with the hash of its secret, for its first tokens. */
export interface LaptopSecret {
  id: string;
  organization_id: string;
  member_id: string;
  generation: number;
  hash: Uint8Array;
}

export async function findSecretOfLaptop(tx: Tx, id: string): Promise<LaptopSecret | null> {
  const row = await tx
    .selectFrom("laptop")
    .innerJoin("api_key_secret as secret", "secret.id", "laptop.secret_id")
    .select([
      "laptop.id",
      "laptop.organization_id",
      "laptop.member_id",
      "laptop.generation",
      "secret.hash",
    ])
    .where("laptop.id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

export async function saveRefresh(
  tx: Tx,
  id: string,
  of: { generation: number; isConfirmed: boolean; rotatedAt: Date },
): Promise<void> {
  await tx
    .updateTable("laptop")
    .set({ generation: of.generation, is_confirmed: of.isConfirmed, rotated_at: of.rotatedAt })
    .where("id", "=", id)
    .execute();
}

export interface LaptopGroup {
  id: string;
  name: string;
}

/**
 * Member of the laptop: groups in a fixed order, the address, and the name of the tag whose value the member chooses. Null
 * as the address: no directory has verified it.
 */
export async function describeMember(
  db: Database | Tx,
  memberId: string,
): Promise<{ groups: LaptopGroup[]; email: string | null; billingGroupTag: string | null }> {
  const groups = await db
    .selectFrom("group_member as held")
    .innerJoin("member_group", "member_group.id", "held.group_id")
    .select(["member_group.id", "member_group.name"])
    .where("held.member_id", "=", memberId)
    .orderBy("member_group.id")
    .execute();
  const account = await db
    .selectFrom("member")
    .innerJoin("organization", "organization.id", "member.organization_id")
    .leftJoin("directory_identity", "directory_identity.member_id", "member.id")
    .select(["member.email", "directory_identity.member_id", "organization.billing_group_tag"])
    .where("member.id", "=", memberId)
    .limit(1)
    .executeTakeFirst();
  return {
    groups,
    email: account === undefined || account.member_id === null ? null : account.email,
    billingGroupTag: account?.billing_group_tag ?? null,
  };
}

/** Deletes laptops that ended before `endedBefore`, with their secrets. Returns their number. */
export async function deleteOldLaptops(
  tx: Tx,
  of: { endedBefore: Date; rotatedBefore: Date },
): Promise<number> {
  const rows = await tx
    .deleteFrom("laptop")
    .using("api_key_secret as secret")
    .whereRef("secret.id", "=", "laptop.secret_id")
    .where((eb) =>
      eb.or([
        eb("secret.valid_until", "<", of.endedBefore),
        eb("laptop.rotated_at", "<", of.rotatedBefore),
      ]),
    )
    .returning("laptop.secret_id")
    .execute();
  const ids = rows.map(({ secret_id }) => secret_id);
  if (ids.length > 0) {
    await tx.deleteFrom("api_key_secret").where(sql<SqlBool>`id = ANY(${ids}::bigint[])`).execute();
  }
  return ids.length;
}
