import type { exceededBound, exceededBoundRoutes } from "@bursar/contract/admin/exceeded-bounds.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { deleteExceededBound, listExceededBounds } from "./change-exceeded-bounds.ts";
import type { ExceededBound } from "./exceeded-bounds.sql.ts";

export function makeExceededBoundHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof exceededBoundRoutes)[number], Call> {
  return {
    listExceededBounds: async (call, { query }) => {
      const { rows, nextPage } = await listExceededBounds(deps, call, query);
      return { data: rows.map(toWire), next_page: nextPage };
    },
    deleteExceededBound: async (call, { params: { exceeded_bound_id: id } }) => {
      return { ...(await deleteExceededBound(deps, call, id)), type: "exceeded_bound_deleted" };
    },
  };
}

function toWire(row: ExceededBound): z.input<typeof exceededBound> {
  return {
    id: row.id,
    type: "exceeded_bound",
    kind: row.kind,
    name: row.name,
    observed_tokens: Number(row.observed),
    allowed_tokens: Number(row.allowed),
    request_id: row.requestId,
    exceeded_at: row.exceededAt.toISOString(),
  };
}
