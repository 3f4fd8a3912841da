import { type RawBuilder, sql } from "kysely";
import type { VisibleUsage } from "./visible-usage.ts";

/** Condition for visible rows, on workspace_id and api_key_id. Null: the caller can see the whole organization. */
export function isVisibleUsage({ workspaceIds, own }: VisibleUsage): RawBuilder<unknown> | null {
  if (workspaceIds === null) return null;
  const whole = sql`workspace_id = ANY(${[...workspaceIds]}::text[])`;
  if (own === null) return whole;
  const owned = sql`(workspace_id = ANY(${[...own.workspaceIds]}::text[])
    AND api_key_id = ANY(${[...own.apiKeyIds]}::text[]))`;
  return workspaceIds.length === 0 ? owned : sql`(${whole} OR ${owned})`;
}
