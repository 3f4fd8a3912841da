import { z } from "zod";
import { timestamp } from "../fields.ts";
import { apiKeyId, playgroundSessionId, workspaceId } from "../ids.ts";
import { route } from "../route.ts";

// The playground of the console. It calls the Claude API like every program, with a key for the person that lasts for
// minutes; only a signed-in person gets one.

export const playgroundSession = z
  .object({
    type: z.literal("playground_session"),
    id: playgroundSessionId,
    workspace_id: workspaceId,
    api_key_id: apiKeyId.meta({ description: "Under which usage and limits count the session." }),
    key: z.string().meta({ description: "The secret. Shown this once: only its hash is kept." }),
    expires_at: timestamp,
  })
  .meta({ id: "PlaygroundSession" });

export const startPlaygroundSession = route({
  operationId: "startPlaygroundSession",
  method: "POST",
  path: "/v1/admin/playground/sessions",
  summary: "Start a session of the playground",
  description:
    "Gives a signed-in person a secret for the Claude API that works for ten minutes in this one workspace, with the permission `write`, for people who may create messages there. It counts as the person's own, is in no list of keys, and stops with the person. More than five sessions at once in a workspace end the oldest.",
  action: "self:write",
  audited: "playground.started",
  body: z.strictObject({ workspace_id: workspaceId }),
  response: playgroundSession,
});

export const endPlaygroundSession = route({
  operationId: "endPlaygroundSession",
  method: "DELETE",
  path: "/v1/admin/playground/sessions/{playground_session_id}",
  summary: "End a session of the playground",
  description: "Its secret stops within a second. What runs is finished.",
  action: "self:write",
  audited: "playground.ended",
  params: z.strictObject({ playground_session_id: playgroundSessionId }),
  response: z.object({ id: playgroundSessionId, type: z.literal("playground_session_ended") }),
});

export const playgroundRoutes = [startPlaygroundSession, endPlaygroundSession] as const;
