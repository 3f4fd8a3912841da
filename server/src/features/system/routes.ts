import type { systemRoutes } from "@bursar/contract/admin/system.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import { getSystem, type SystemDeps } from "./system.ts";

export function makeSystemHandlers(
  deps: SystemDeps,
): HandlersFor<(typeof systemRoutes)[number], Call> {
  return { getSystem: (call) => getSystem(deps, call) };
}
