import type { ObjectServer } from "#src/gateway/object-call.ts";
import type { ObjectCallDeps } from "./object-calls.ts";
import { makeObjectReferences } from "./object-references.ts";
import { serveFiles } from "./serve-files.ts";

/** Makes the server of files and skills, with the owners of all objects. */
export function makeObjectServer(deps: ObjectCallDeps & { nowMs: () => number }): ObjectServer {
  return { ...makeObjectReferences(deps), serve: (call) => serveFiles(deps, call) };
}
