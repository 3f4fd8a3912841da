import { type RawBuilder, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

// Groups and tags of requests: lists of ids in one text, as usage_labels and usage_attribution have them.

/** Requests to include. Omitted fields do not filter. */
export interface AttributionFilter {
  /** Any of these groups. */
  groupIds?: readonly string[] | undefined;
  /** Any of these tags. */
  tagIds?: readonly string[] | undefined;
  /** Any of these tags. */
  tags?: readonly { name: string; value: string }[] | undefined;
  /** No tag of this name. */
  withoutTag?: string | undefined;
}

/** Reads the filters of a query. Null: there are none. */
export function readAttribution(query: {
  group_id?: string[] | undefined;
  tag_id?: string[] | undefined;
  tag?: string[] | undefined;
  without_tag?: string | undefined;
}): AttributionFilter | null {
  const { group_id: groupIds, tag_id: tagIds, tag, without_tag: withoutTag } = query;
  if ([groupIds, tagIds, tag, withoutTag].every((each) => each === undefined)) return null;
  return { groupIds, tagIds, tags: tag?.map(readTag), withoutTag };
}

/** Reads `name:value`. */
function readTag(text: string): { name: string; value: string } {
  const end = text.indexOf(":");
  return { name: text.slice(0, end), value: text.slice(end + 1) };
}

/** Id of the tag `name:value`, which need not exist. */
export async function findTagId(
  db: Database,
  organizationId: string,
  text: string,
): Promise<string> {
  const { name, value } = readTag(text);
  const { rows } = await sql<{ id: string }>`
    SELECT tag_id(${organizationId}::uuid, ${name}, ${value}) AS id`.execute(db);
  return rows[0]?.id ?? "";
}

/** True if a request without groups and tags matches. */
export function matchesNone({ groupIds, tagIds, tags }: AttributionFilter): boolean {
  return groupIds === undefined && tagIds === undefined && tags === undefined;
}

/** Conditions on the columns group_ids and tag_ids. */
export function makeAttributionConditions(
  organizationId: string,
  { groupIds, tagIds, tags, withoutTag }: AttributionFilter,
): RawBuilder<unknown>[] {
  const organization = sql`${organizationId}::uuid`;
  const conditions: RawBuilder<unknown>[] = [];
  if (groupIds) conditions.push(hasAny("group_ids", sql`${[...groupIds]}::text[]`));
  if (tagIds) conditions.push(hasAny("tag_ids", sql`${[...tagIds]}::text[]`));
  if (tags) {
    const names = tags.map(({ name }) => name);
    const values = tags.map(({ value }) => value);
    conditions.push(
      hasAny(
        "tag_ids",
        sql`ARRAY(SELECT tag_id(${organization}, own.name, own.value)
          FROM unnest(${names}::text[], ${values}::text[]) AS own (name, value))`,
      ),
    );
  }
  if (withoutTag !== undefined) {
    conditions.push(sql`NOT ${hasAny("tag_ids", selectTagsOfName(organizationId, withoutTag))}`);
  }
  return conditions;
}

/** Array of the ids of all tags with the name. */
export function selectTagsOfName(organizationId: string, name: string): RawBuilder<unknown> {
  return sql`ARRAY(SELECT tag.id FROM tag WHERE tag.organization_id = ${organizationId}::uuid AND tag.name = ${name})`;
}

function hasAny(column: "group_ids" | "tag_ids", wanted: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(string_to_array(${sql.ref(column)}, ',') && ${wanted})`;
}
