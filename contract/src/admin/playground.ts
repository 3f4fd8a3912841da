import { z } from "zod";
import { shownOnce, timestamp } from "../fields.ts";
import { apiKeyId, playgroundSessionId, workspaceId } from "../ids.ts";
import { route } from "../route.ts";

// The playground of the console calls the Claude API like every program, with a short-lived key for a signed-in member.

export const playgroundSession = z
  .object({
    type: z.literal("playground_session"),
    id: playgroundSessionId,
    workspace_id: workspaceId,
    api_key_id: apiKeyId.meta({ description: "Key whose usage and limits include the session." }),
    key: z
      .string()
      .meta({ description: "The secret. Shown once. Only its hash is stored.", ...shownOnce }),
    expires_at: timestamp,
  })
  .meta({ id: "PlaygroundSession" });

export const startPlaygroundSession = route({
  operationId: "startPlaygroundSession",
  method: "POST",
  path: "/v1/admin/playground/sessions",
  summary: "Start a playground session",
  description:
    "Returns a secret for the Claude API to a signed-in member who can create messages in the workspace. The secret works for ten minutes in this workspace, with the permission `write`. Its usage counts as the member's own. Lists of keys omit it. The secret stops when the member loses access. A sixth session in a workspace ends the oldest.",
  action: "personal_keys:write",
  audited: "playground.started",
  body: z.strictObject({ workspace_id: workspaceId }),
  response: playgroundSession,
});

export const endPlaygroundSession = route({
  operationId: "endPlaygroundSession",
  method: "DELETE",
  path: "/v1/admin/playground/sessions/{playground_session_id}",
  summary: "End a playground session",
  description: "Its secret stops working within a second. Running requests continue.",
  action: "self:write",
  audited: "playground.ended",
  params: z.strictObject({ playground_session_id: playgroundSessionId }),
  response: z.object({ id: playgroundSessionId, type: z.literal("playground_session_ended") }),
});

export const playgroundRoutes = [startPlaygroundSession, endPlaygroundSession] as const;
