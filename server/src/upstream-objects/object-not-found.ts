import type { ObjectKind } from "#src/db/object-tables.ts";
import { ApiError } from "#src/domain/api-error.ts";

const names: Record<ObjectKind, string> = {
  file: "File",
  skill: "Skill",
  container: "Container",
  thread: "Thread",
  message_batch: "Message batch",
};

/** Makes the refusal of an unknown object. An object of another workspace gets the same one, which hides that it exists. */
export function makeObjectNotFoundError(kind: ObjectKind, id: string): ApiError {
  return new ApiError(
    "resource_not_found",
    `${names[kind]} ${id} not found.`,
    {},
    { resource: kind },
  );
}
