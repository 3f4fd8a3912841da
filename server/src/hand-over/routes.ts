import type { ownedThingRoutes } from "@bursar/contract/admin/owned-things.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { ReviewDeps } from "#src/reviews/start-review.ts";
import { handOver } from "./hand-over.ts";
import { listLeftBehind, listOwnedThings } from "./owned-things.ts";

export function makeHandOverHandlers(
  deps: ReviewDeps,
): HandlersFor<(typeof ownedThingRoutes)[number], Call> {
  return {
    listOwnedThings: async (call, { params }) => ({
      data: await listOwnedThings(deps, call, params.member_id),
    }),
    handOverThings: async (call, { params, body }) => ({
      type: "hand_over",
      member_id: params.member_id,
      new_owner_id: body.new_owner_id,
      things: await handOver(deps, call, params.member_id, body),
    }),
    listLeftBehind: async (call) => ({
      data: (await listLeftBehind(deps, call)).map((row) => ({ type: "left_behind", ...row })),
    }),
  };
}
