import { z } from "zod";
import { shownOnce, timestamp } from "../fields.ts";
import { directoryId, scimTokenId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const MAX_GRACE_SECONDS = 30 * 86_400;
const directoryParams = z.strictObject({ directory_id: directoryId });
const tokenParams = z.strictObject({ directory_id: directoryId, scim_token_id: scimTokenId });

export const scimToken = z
  .object({
    id: scimTokenId,
    type: z.literal("scim_token"),
    directory_id: directoryId,
    status: z.enum(["active", "expired", "revoked"]),
    partial_token_hint: z.string(),
    created_by: z.object({ type: z.string(), id: z.string() }),
    created_at: timestamp,
    expires_at: timestamp
      .nullable()
      .meta({ description: "End after a rotation. Null: the token does not expire." }),
    revoked_at: timestamp.nullable(),
    last_used_at: timestamp
      .nullable()
      .meta({ description: "Last use, at most a minute late. Null: never used." }),
  })
  .meta({ id: "ScimToken" });

export const createdScimToken = z
  .object({
    ...scimToken.shape,
    token: z.string().meta({
      description: "The secret, `bursar-scim-…`. Shown once. Only its hash is stored.",
      ...shownOnce,
    }),
  })
  .meta({ id: "CreatedScimToken" });

export const listScimTokens = route({
  operationId: "listScimTokens",
  method: "GET",
  path: "/v1/admin/directories/{directory_id}/scim_tokens",
  summary: "List SCIM tokens of a directory",
  description: "Newest first, including revoked and expired tokens.",
  action: "directories:read",
  audited: null,
  params: directoryParams,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(scimToken),
});

export const createScimToken = route({
  operationId: "createScimToken",
  method: "POST",
  path: "/v1/admin/directories/{directory_id}/scim_tokens",
  summary: "Create a SCIM token",
  description:
    "The company's directory sends the token to `/scim/v2`, where it provides people and groups. The token has no other right. A directory has at most ten valid tokens.",
  action: "directories:write",
  audited: "scim_token.created",
  stepUp: true,
  params: directoryParams,
  response: createdScimToken,
});

export const rotateScimToken = route({
  operationId: "rotateScimToken",
  method: "POST",
  path: "/v1/admin/directories/{directory_id}/scim_tokens/{scim_token_id}/rotate",
  summary: "Rotate a SCIM token",
  description: "Creates another token. The old one expires after the grace period.",
  action: "directories:write",
  audited: "scim_token.rotated",
  stepUp: true,
  params: tokenParams,
  body: z.strictObject({
    grace_period_seconds: z.int().min(0).max(MAX_GRACE_SECONDS).default(0).meta({
      description: "Time for which the old token stays valid, in seconds. At most 30 days.",
    }),
  }),
  response: createdScimToken,
});

export const revokeScimToken = route({
  operationId: "revokeScimToken",
  method: "POST",
  path: "/v1/admin/directories/{directory_id}/scim_tokens/{scim_token_id}/revoke",
  summary: "Revoke a SCIM token",
  description: "Cannot be undone. The next request with the token is refused.",
  action: "directories:write",
  audited: "scim_token.revoked",
  params: tokenParams,
  response: scimToken,
});

export const scimTokenRoutes = [
  listScimTokens,
  createScimToken,
  rotateScimToken,
  revokeScimToken,
] as const;
