import type { Database, Tx } from "#src/db/pool.ts";

/** Names by id. */
export interface UsageNames {
  workspaces: ReadonlyMap<string, string>;
  apiKeys: ReadonlyMap<string, string>;
  /** API keys of playground sessions. */
  playgroundKeys: ReadonlySet<string>;
  members: ReadonlyMap<string, { name: string; email: string; isRemoved: boolean }>;
  groups: ReadonlyMap<string, string>;
  tags: ReadonlyMap<string, { name: string; value: string }>;
}

interface NamedIds {
  workspace_id?: string;
  api_key_id?: string;
  member_id?: string;
  group_id?: string;
  tag_id?: string;
  /** Lists of ids, separated by commas. */
  group_ids?: string;
  tag_ids?: string;
}

/** Finds the names of all ids in the rows, including archived and removed ones. Unknown ids are left out. */
export async function findUsageNames(
  db: Database | Tx,
  organizationId: string,
  rows: readonly NamedIds[],
): Promise<UsageNames> {
  const workspaceIds = idsOf(rows.map((row) => row.workspace_id));
  const apiKeyIds = idsOf(rows.map((row) => row.api_key_id));
  const memberIds = idsOf(rows.map((row) => row.member_id));
  const { groups, tags } = await findAttributionNames(db, organizationId, rows);
  const [workspaces, apiKeys, members] = [
    workspaceIds.length === 0
      ? []
      : await db
          .selectFrom("workspace")
          .select(["id", "name"])
          .where("organization_id", "=", organizationId)
          .where("id", "in", workspaceIds)
          .execute(),
    apiKeyIds.length === 0
      ? []
      : await db
          .selectFrom("api_key")
          .select(["id", "name", "purpose"])
          .where("organization_id", "=", organizationId)
          .where("id", "in", apiKeyIds)
          .execute(),
    memberIds.length === 0
      ? []
      : await db
          .selectFrom("member")
          .select(["id", "name", "email", "status"])
          .where("organization_id", "=", organizationId)
          .where("id", "in", memberIds)
          .execute(),
  ];
  return {
    workspaces: new Map(workspaces.map(({ id, name }) => [id, name])),
    groups,
    tags,
    apiKeys: new Map(apiKeys.map(({ id, name }) => [id, name])),
    playgroundKeys: new Set(
      apiKeys.filter(({ purpose }) => purpose === "playground").map(({ id }) => id),
    ),
    members: new Map(
      members.map(({ id, name, email, status }) => [
        id,
        { name, email, isRemoved: status === "removed" },
      ]),
    ),
  };
}

async function findAttributionNames(
  db: Database | Tx,
  organizationId: string,
  rows: readonly NamedIds[],
): Promise<Pick<UsageNames, "groups" | "tags">> {
  const groupIds = idsOf(rows.flatMap((row) => [row.group_id, ...splitIds(row.group_ids)]));
  const tagIds = idsOf(rows.flatMap((row) => [row.tag_id, ...splitIds(row.tag_ids)]));
  const groups =
    groupIds.length === 0
      ? []
      : await db
          .selectFrom("member_group")
          .select(["id", "name"])
          .where("organization_id", "=", organizationId)
          .where("id", "in", groupIds)
          .execute();
  const tags =
    tagIds.length === 0
      ? []
      : await db
          .selectFrom("tag")
          .select(["id", "name", "value"])
          .where("organization_id", "=", organizationId)
          .where("id", "in", tagIds)
          .execute();
  return {
    groups: new Map(groups.map(({ id, name }) => [id, name])),
    tags: new Map(tags.map(({ id, name, value }) => [id, { name, value }])),
  };
}

/** Splits a list of ids in one text. */
export function splitIds(ids = ""): string[] {
  return ids === "" ? [] : ids.split(",");
}

function idsOf(ids: readonly (string | undefined)[]): string[] {
  return [...new Set(ids.filter((id) => id !== undefined && id !== ""))] as string[];
}
