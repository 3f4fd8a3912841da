import {
  type Action,
  claudeActions,
  includesPermission,
  permissionFor,
} from "@bursar/contract/permissions.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";

/**
 * Checks that the caller may do `action` at all; which rows it may do it to is the use case's question. Anything not
 * granted by the table in the contract is refused with a 403 that says what is needed.
 */
export function authorize(caller: Caller, action: Action): void {
  if (caller.kind !== "api_key") {
    if (!isClaudeAction(action)) return;
    throw denied(`Calls to Claude need the key of a workspace: an admin key cannot make them.`);
  }
  const needed = permissionFor(action);
  if (needed === null) {
    throw denied(
      `This call needs an admin key (sk-ant-admin01-…), since it is about the whole organization.`,
    );
  }
  if (!includesPermission(caller.permission, needed)) {
    throw denied(
      `This call needs an admin key, or an API key with the permission "${needed}"; this API key has "${caller.permission}".`,
    );
  }
}

function isClaudeAction(action: Action): boolean {
  return (claudeActions as readonly Action[]).includes(action);
}

function denied(message: string): ApiError {
  return new ApiError("permission", message);
}
