import { type RawBuilder, sql } from "kysely";
import { selectOwnApiKeyIds } from "#src/access/own-api-keys.sql.ts";
import type { VisibleUsage } from "./visible-usage.ts";

/** Condition for visible rows, on workspace_id and api_key_id. Null: the caller can see the whole organization. */
export function isVisibleUsage(
  organizationId: string,
  { workspaceIds, own }: VisibleUsage,
): RawBuilder<unknown> | null {
  if (workspaceIds === null) return null;
  const whole = sql`workspace_id = ANY(${[...workspaceIds]}::text[])`;
  if (own === null) return whole;
  const { memberId } = own;
  const owned = sql`(workspace_id = ANY(${[...own.workspaceIds]}::text[])
    AND api_key_id = ANY(ARRAY(${selectOwnApiKeyIds({ organizationId, memberId })})))`;
  return workspaceIds.length === 0 ? owned : sql`(${whole} OR ${owned})`;
}
