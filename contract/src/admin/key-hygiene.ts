import { z } from "zod";
import { count, optionalQuery } from "../fields.ts";
import { workspaceId } from "../ids.ts";
import { keyIssues } from "../key-issues.ts";
import { route } from "../route.ts";

export const keyIssue = z.enum(keyIssues).meta({
  description:
    "Of keys that are neither archived nor expired: without an expiry; without a spend limit of its own; about to expire; not used for 90 days; with the permission `admin`; with a secret that is older than 180 days; without a person whose key it is.",
});

export const getKeyHygiene = route({
  operationId: "getKeyHygiene",
  method: "GET",
  path: "/v1/admin/key_hygiene",
  summary: "Count API keys that need attention",
  description:
    "Over the keys that the caller sees. The list of API keys shows those behind a number with the same `issue`.",
  action: "api_keys:read",
  audited: null,
  query: z.strictObject({ workspace_id: optionalQuery(workspaceId) }),
  response: z
    .object({
      type: z.literal("key_hygiene"),
      keys: count.meta({ description: "Keys that are neither archived nor expired." }),
      keys_without_issue: count,
      cards: z.array(z.object({ issue: keyIssue, count })),
    })
    .meta({ id: "KeyHygiene" }),
});

export const keyHygieneRoutes = [getKeyHygiene] as const;
