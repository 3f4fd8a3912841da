import type { playgroundRoutes } from "@bursar/contract/admin/playground.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { endPlaygroundSession, startPlaygroundSession } from "./playground.ts";

export function makePlaygroundHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof playgroundRoutes)[number], Call> {
  return {
    startPlaygroundSession: async (call, { body }) => {
      const session = await startPlaygroundSession(deps, call, body.workspace_id);
      return {
        type: "playground_session",
        id: session.id,
        workspace_id: session.workspaceId,
        api_key_id: session.apiKeyId,
        key: session.secret,
        expires_at: session.expiresAt,
      };
    },
    endPlaygroundSession: async (call, { params: { playground_session_id: id } }) => {
      await endPlaygroundSession(deps, call, id);
      return { id, type: "playground_session_ended" };
    },
  };
}
