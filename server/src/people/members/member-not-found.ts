import { ApiError } from "#src/domain/api-error.ts";

/** A 404. */
export function memberNotFound(id: string): ApiError {
  return new ApiError("resource_not_found", `Member not found: ${id}`, {}, { resource: "member" });
}
