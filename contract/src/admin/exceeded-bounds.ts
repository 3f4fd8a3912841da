import { z } from "zod";
import { count, timestamp } from "../fields.ts";
import { exceededBoundId, requestId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

// Models and tools that exceeded a bound of streams held in steps.

export const boundKinds = ["model", "tool"] as const;

export const exceededBound = z
  .object({
    id: exceededBoundId,
    type: z.literal("exceeded_bound"),
    kind: z.enum(boundKinds).meta({
      description:
        "`model`: output was faster than the highest speed of the model. `tool`: results of the tool were larger or dearer than their bound, or came within a second.",
    }),
    name: z.string().meta({ description: "Name of the model, or type of the tool." }),
    observed_tokens: count.meta({
      description:
        "Tokens per second of a model, or tokens of the calls that read results of a tool.",
    }),
    allowed_tokens: count.meta({ description: "The bound, in the same unit." }),
    request_id: requestId.meta({ description: "Request that exceeded the bound." }),
    exceeded_at: timestamp,
  })
  .meta({ id: "ExceededBound" });

export const listExceededBounds = route({
  operationId: "listExceededBounds",
  method: "GET",
  path: "/v1/admin/exceeded_bounds",
  summary: "List models and tools that are held whole",
  description:
    "Models and tools that exceeded a bound of streams held in steps, newest first. Their streams are held whole until the entry is deleted.",
  action: "model_prices:read",
  audited: null,
  query: z.strictObject(pageCursorQuery),
  response: pageCursor(exceededBound),
});

export const deleteExceededBound = route({
  operationId: "deleteExceededBound",
  method: "DELETE",
  path: "/v1/admin/exceeded_bounds/{exceeded_bound_id}",
  summary: "Hold a model or tool in steps again",
  description:
    "Deletes the entry. New streams of the model, or with the tool, are held in steps again where a limit has `hold` `steps`. Another stream beyond the bound creates a new entry.",
  action: "model_prices:write",
  audited: "exceeded_bound.deleted",
  stepUp: true,
  params: z.strictObject({ exceeded_bound_id: exceededBoundId }),
  response: z.object({ id: exceededBoundId, type: z.literal("exceeded_bound_deleted") }),
});

export const exceededBoundRoutes = [listExceededBounds, deleteExceededBound] as const;
