import type { Database, Tx } from "#src/db/pool.ts";
import type { NeutralFeature } from "#src/domain/neutral-features.ts";

/** A row of an organization. */
export interface OwnFeature extends Omit<NeutralFeature, "since"> {
  id: string;
  updatedAt: Date;
}

const columns = [
  "id",
  "kind",
  "name",
  "effect",
  "source",
  "is_in_prompt as isInPrompt",
  "updated_at as updatedAt",
] as const;

/** Lists the rows of all organizations. */
export async function listAllNeutralFeatures(
  db: Database,
): Promise<(OwnFeature & { organizationId: string })[]> {
  return await db
    .selectFrom("neutral_feature")
    .select([...columns, "organization_id as organizationId"])
    .execute();
}

/** Lists the organization's rows, newest first. */
export async function listOwnFeatures(
  db: Database | Tx,
  organizationId: string,
): Promise<OwnFeature[]> {
  return await db
    .selectFrom("neutral_feature")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .orderBy("id", "desc")
    .execute();
}

/** Finds a row by its kind and name, and locks it until the commit. */
export async function findFeatureForUpdate(
  tx: Tx,
  of: { organizationId: string } & Pick<OwnFeature, "kind" | "name">,
): Promise<OwnFeature | null> {
  const row = await tx
    .selectFrom("neutral_feature")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("kind", "=", of.kind)
    .where("name", "=", of.name)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** Creates the row of a kind and name, or replaces its texts. A stored row keeps its id. */
export async function upsertFeature(
  tx: Tx,
  { organizationId, ...row }: OwnFeature & { organizationId: string },
): Promise<OwnFeature> {
  const { effect, source } = row;
  return await tx
    .insertInto("neutral_feature")
    .values({
      id: row.id,
      organization_id: organizationId,
      kind: row.kind,
      name: row.name,
      effect,
      source,
      is_in_prompt: row.isInPrompt,
      created_at: row.updatedAt,
      updated_at: row.updatedAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["organization_id", "kind", "name"])
        .doUpdateSet({ effect, source, is_in_prompt: row.isInPrompt, updated_at: row.updatedAt }),
    )
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Deletes a row, and returns it. Null: the organization has no row with this id. */
export async function deleteFeature(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<OwnFeature | null> {
  const row = await tx
    .deleteFrom("neutral_feature")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .returning(columns)
    .executeTakeFirst();
  return row ?? null;
}
