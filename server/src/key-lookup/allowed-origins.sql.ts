import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

/** Lists origins that a working key of any organization allows, at most `limit`. */
export async function listAllowedOrigins(
  db: Database,
  { now, limit }: { now: Date; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom("api_key")
    .innerJoin("workspace", "workspace.id", "api_key.workspace_id")
    .select(sql<string>`unnest(api_key.allowed_origins)`.as("origin"))
    .distinct()
    .where("api_key.allowed_origins", "is not", null)
    .where("api_key.status", "=", "active")
    .where("workspace.archived_at", "is", null)
    .where((where) =>
      where.or([where("api_key.expires_at", "is", null), where("api_key.expires_at", ">", now)]),
    )
    .orderBy("origin")
    .limit(limit)
    .execute();
  return rows.map(({ origin }) => origin);
}
