import { type RawBuilder, sql } from "kysely";
import { ownApiKeyIds } from "#src/access/own-api-keys.sql.ts";
import type { VisibleUsage } from "./visible-usage.ts";

/**
 * True of the rows that exist for the caller, over the columns workspace_id and api_key_id; null where all of the
 * organization's do.
 */
export function isVisibleUsage(
  organizationId: string,
  { workspaceIds, own }: VisibleUsage,
): RawBuilder<unknown> | null {
  if (workspaceIds === null) return null;
  const whole = sql`workspace_id = ANY(${[...workspaceIds]}::text[])`;
  if (own === null) return whole;
  const { memberId } = own;
  const owned = sql`(workspace_id = ANY(${[...own.workspaceIds]}::text[])
    AND api_key_id = ANY(ARRAY(${ownApiKeyIds({ organizationId, memberId })})))`;
  return workspaceIds.length === 0 ? owned : sql`(${whole} OR ${owned})`;
}
