import type { ClaudeAction } from "@bursar/contract/permissions.ts";

// Paths of stored objects: files, skills with their versions, and message batches.

export type ObjectOperation =
  | "files.create"
  | "files.list"
  | "files.get"
  | "files.download"
  | "files.delete"
  | "skills.create"
  | "skills.list"
  | "skills.get"
  | "skills.delete"
  | "skill_versions.create"
  | "skill_versions.list"
  | "skill_versions.get"
  | "skill_versions.download"
  | "skill_versions.delete"
  | "batches.create"
  | "batches.list"
  | "batches.get"
  | "batches.results"
  | "batches.cancel"
  | "batches.delete";

export interface ObjectRoute {
  kind: "object";
  operation: ObjectOperation;
  action: ClaudeAction;
  /** Id of the object. Empty: the path has none. */
  id: string;
  /** Version of a skill. Empty: the path has none. */
  version: string;
}

type Form = readonly [method: string, path: string, ObjectOperation, ClaudeAction];

const forms: readonly Form[] = [
  ["POST", "files", "files.create", "files:write"],
  ["GET", "files", "files.list", "files:read"],
  ["GET", "files/:id", "files.get", "files:read"],
  ["GET", "files/:id/content", "files.download", "files:read"],
  ["DELETE", "files/:id", "files.delete", "files:write"],
  ["POST", "skills", "skills.create", "skills:write"],
  ["GET", "skills", "skills.list", "skills:read"],
  ["GET", "skills/:id", "skills.get", "skills:read"],
  ["DELETE", "skills/:id", "skills.delete", "skills:write"],
  ["POST", "skills/:id/versions", "skill_versions.create", "skills:write"],
  ["GET", "skills/:id/versions", "skill_versions.list", "skills:read"],
  ["GET", "skills/:id/versions/:version", "skill_versions.get", "skills:read"],
  ["GET", "skills/:id/versions/:version/content", "skill_versions.download", "skills:read"],
  ["DELETE", "skills/:id/versions/:version", "skill_versions.delete", "skills:write"],
  ["POST", "messages/batches", "batches.create", "batches:write"],
  ["GET", "messages/batches", "batches.list", "batches:read"],
  ["GET", "messages/batches/:id", "batches.get", "batches:read"],
  ["GET", "messages/batches/:id/results", "batches.results", "batches:read"],
  ["POST", "messages/batches/:id/cancel", "batches.cancel", "batches:write"],
  ["DELETE", "messages/batches/:id", "batches.delete", "batches:write"],
];

// No slash, no percent sign and no dot, so that the upstream reads the same path.
const ID = "[A-Za-z0-9_-]{1,128}";

const patterns = forms.map(([method, path, operation, action]) => {
  const source = path.replace(/:(\w+)/g, (_, name: string) => `(?<${name}>${ID})`);
  return { method, path: new RegExp(`^/v1/${source}$`), operation, action };
});

const STARTS = ["/v1/files", "/v1/skills", "/v1/messages/batches"];

/** Finds the route of a path. Null: the path is of another kind, or not served with this method. */
export function findObjectRoute(method: string, path: string): ObjectRoute | null {
  if (!STARTS.some((start) => path.startsWith(start))) return null;
  for (const { method: served, path: pattern, operation, action } of patterns) {
    if (served !== method) continue;
    const match = pattern.exec(path);
    if (match === null) continue;
    const { id = "", version = "" } = match.groups ?? {};
    return { kind: "object", operation, action, id, version };
  }
  return null;
}
