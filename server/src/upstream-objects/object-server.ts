import type { ObjectServer } from "#src/gateway/object-call.ts";
import type { ObjectCallDeps } from "./object-calls.ts";
import { makeObjectReferences } from "./object-references.ts";
import { serveFiles } from "./serve-files.ts";
import { makePublishedSkills, serveSkills } from "./serve-skills.ts";

/** Makes the server of files and skills, with the owners of all objects. */
export function makeObjectServer(deps: ObjectCallDeps & { nowMs: () => number }): ObjectServer {
  const skillDeps = { ...deps, published: makePublishedSkills() };
  return {
    ...makeObjectReferences(deps),
    serve: (call) =>
      call.route.operation.startsWith("files.")
        ? serveFiles(deps, call)
        : serveSkills(skillDeps, call),
  };
}
