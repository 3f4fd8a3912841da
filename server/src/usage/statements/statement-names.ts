import type { Tx } from "#src/db/pool.ts";
import { findUsageNames, splitIds } from "#src/recording/usage-names.sql.ts";
import type { LineSource } from "./statement-lines.sql.ts";
import { listStoredNames } from "./statement-report.sql.ts";
import type { StatementNames } from "./statement-shape.rule.ts";

interface NamedIds {
  workspace_id?: string;
  api_key_id?: string;
  member_id?: string;
  group_id?: string;
  tag_id?: string;
  group_ids?: string;
  tag_ids?: string;
}

/** Finds the names of all ids in the rows. Unknown ids are left out. */
export async function findStatementNames(
  tx: Tx,
  source: LineSource,
  rows: readonly NamedIds[],
): Promise<StatementNames> {
  const { organizationId } = source;
  if (source.kind === "open") return findUsageNames(tx, organizationId, rows);
  const ids = rows.flatMap(({ workspace_id, api_key_id, member_id, group_id, group_ids }) => [
    ...[workspace_id, api_key_id, member_id, group_id].filter((id) => id !== undefined),
    ...splitIds(group_ids),
  ]);
  const { month } = source;
  const stored = await listStoredNames(tx, { organizationId, month, ids: [...new Set(ids)] });
  const tagged = rows.map(({ tag_id = "", tag_ids = "" }) => ({ tag_id, tag_ids }));
  const { tags } = await findUsageNames(tx, organizationId, tagged);
  const of = (kind: (typeof stored)[number]["kind"]) =>
    new Map(stored.filter((each) => each.kind === kind).map(({ id, name }) => [id, name]));
  const members = stored.filter(({ kind }) => kind === "member");
  return {
    workspaces: of("workspace"),
    apiKeys: of("api_key"),
    groups: of("group"),
    members: new Map(members.map(({ id, name, detail }) => [id, { name, email: detail }])),
    tags,
  };
}
