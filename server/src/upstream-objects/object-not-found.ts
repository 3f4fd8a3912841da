import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import { ApiError } from "#src/domain/api-error.ts";

const names: Record<StoredObjectKind, string> = {
  file: "File",
  skill: "Skill",
  container: "Container",
  thread: "Thread",
};

/** Makes the refusal of an unknown object. An object of another workspace gets the same one, which hides that it exists. */
export function makeObjectNotFoundError(kind: StoredObjectKind, id: string): ApiError {
  return new ApiError(
    "resource_not_found",
    `${names[kind]} ${id} not found.`,
    {},
    { resource: kind },
  );
}
