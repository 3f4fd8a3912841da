import type { ObjectCall, ObjectServer } from "#src/gateway/object-call.ts";
import type { ObjectCallDeps } from "./object-calls.ts";
import { serveFiles } from "./serve-files.ts";

/** Makes the server of files and skills. */
export function makeObjectServer(deps: ObjectCallDeps): ObjectServer {
  return {
    serve(call: ObjectCall): Promise<void> {
      return serveFiles(deps, call);
    },
  };
}
