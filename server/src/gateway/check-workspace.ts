import { ApiError } from "#src/domain/api-error.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

const MAX_SHOWN_CHARACTERS = 100;

/**
 * Throws a 404 if `anthropic-workspace-id` is not the workspace of the key. The response does not show whether that
 * workspace exists.
 */
export function checkWorkspace(fields: HeaderFields, workspaceId: string): void {
  const asked = fields.find("anthropic-workspace-id");
  if (asked === undefined || asked === workspaceId || asked === "") return;
  const shown = asked.slice(0, MAX_SHOWN_CHARACTERS);
  throw new ApiError(
    "resource_not_found",
    `Workspace \`${shown}\` not found. An API key serves its own workspace only: send that workspace's id in ` +
      "anthropic-workspace-id, or remove the header.",
    {},
    { resource: "workspace" },
  );
}
