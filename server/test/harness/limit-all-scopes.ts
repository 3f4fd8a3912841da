import { periodNames } from "#src/domain/spend-period.ts";
import type { ServerProcess, WorkspaceWithKey } from "./server-process.ts";

/** Sets limits that refuse nothing, so that every scope has balances. */
export async function limitAllScopes(
  server: ServerProcess,
  workspaces: readonly WorkspaceWithKey[],
): Promise<void> {
  const scopes = [
    { type: "organization" },
    ...workspaces.flatMap(({ workspaceId, apiKeyId }) => [
      { type: "workspace", workspace_id: workspaceId },
      { type: "api_key", api_key_id: apiKeyId },
    ]),
  ];
  for (const scope of scopes) {
    for (const period of periodNames) {
      const limit = { scope, period, limit_usd: "1000000", enforcement: "alert_only" };
      await server.mustAdmin("POST", "/v1/admin/spend_limits", limit);
    }
  }
}
