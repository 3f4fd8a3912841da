import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "#src/domain/api-error.ts";

const MAX_SHOWN_CHARACTERS = 100;

/**
 * Throws a 404 where `anthropic-workspace-id` names another workspace than the key's. The answer is the same whether
 * that workspace exists or not.
 */
export function checkWorkspace(headers: IncomingHttpHeaders, workspaceId: string): void {
  const asked = headers["anthropic-workspace-id"];
  if (asked === undefined || asked === workspaceId || asked === "") return;
  const shown = String(asked).slice(0, MAX_SHOWN_CHARACTERS);
  throw new ApiError(
    "resource_not_found",
    `Workspace \`${shown}\` not found. An API key serves its own workspace only: send that workspace's id in ` +
      "anthropic-workspace-id, or leave the header out.",
    {},
    { resource: "workspace" },
  );
}
