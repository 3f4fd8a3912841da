import type { waitingSecretRoutes } from "@bursar/contract/admin/waiting-secrets.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import { toWireMaker } from "#src/domain/caller.ts";
import type { ListedWaitingSecret } from "./waiting-secrets.sql.ts";
import {
  listWaitingSecrets,
  revealWaitingSecret,
  type WaitingSecretDeps,
} from "./waiting-secrets.ts";

export function makeWaitingSecretHandlers(
  deps: WaitingSecretDeps,
): HandlersFor<(typeof waitingSecretRoutes)[number], Call> {
  return {
    listWaitingSecrets: async (call) => ({
      data: (await listWaitingSecrets(deps, call)).map(toWire),
    }),
    revealWaitingSecret: async (call, { params }) => {
      const { apiKeyId, secret } = await revealWaitingSecret(deps, call, params.waiting_secret_id);
      return { type: "revealed_secret", api_key_id: apiKeyId, key: secret };
    },
  };
}

function toWire(row: ListedWaitingSecret) {
  return {
    id: row.id,
    type: "waiting_secret" as const,
    api_key_id: row.api_key_id,
    api_key_name: row.api_key_name,
    workspace_id: row.workspace_id,
    partial_key_hint: row.hint,
    reason: row.reason,
    created_by: toWireMaker(row),
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}
