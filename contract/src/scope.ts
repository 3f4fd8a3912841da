import { z } from "zod";
import { apiKeyId, workspaceId } from "./ids.ts";

// Scope of a limit, an alert or an increase request.

export const scopeTypes = ["organization", "workspace", "api_key"] as const;

export const wireScope = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("organization") }),
    z.strictObject({ type: z.literal("workspace"), workspace_id: workspaceId }),
    z.strictObject({ type: z.literal("api_key"), api_key_id: apiKeyId }),
  ],
  {
    error: ({ code }) =>
      code === "invalid_union" ? `expected one of ${scopeTypes.join(", ")}` : undefined,
  },
);
export type WireScope = z.output<typeof wireScope>;
