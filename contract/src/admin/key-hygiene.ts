import { z } from "zod";
import { count, optionalQuery } from "../fields.ts";
import { workspaceId } from "../ids.ts";
import { keyIssues } from "../key-issues.ts";
import { route } from "../route.ts";

export const keyIssue = z.enum(keyIssues).meta({
  description:
    "Issue of keys that are neither archived nor expired. `never_expires`: no expiry. `no_spend_limit`: no spend limit of their own. `expires_within_14_days`: expire soon. `unused_90_days`: not used for 90 days. `wide_permission`: permission `admin`. `older_than_180_days`: a secret older than 180 days. `no_owner`: no member owns the key. `exceeds_max_lifetime`: expires later than the organization allows, or never.",
});

export const getKeyHygiene = route({
  operationId: "getKeyHygiene",
  method: "GET",
  path: "/v1/admin/key_hygiene",
  summary: "Count API keys that need attention",
  description:
    "Counts keys that the caller can see. The list of API keys returns the keys of a count with the same `issue`.",
  action: "api_keys:read",
  audited: null,
  query: z.strictObject({ workspace_id: optionalQuery(workspaceId) }),
  response: z
    .object({
      type: z.literal("key_hygiene"),
      keys: count.meta({ description: "Keys that are neither archived nor expired." }),
      keys_without_issue: count,
      keys_needing_attention: count.meta({
        description:
          "Keys with an issue that someone should resolve: `expires_within_14_days`, `unused_90_days`, `older_than_180_days` or `exceeds_max_lifetime`.",
      }),
      cards: z.array(z.object({ issue: keyIssue, count })),
    })
    .meta({ id: "KeyHygiene" }),
});

export const keyHygieneRoutes = [getKeyHygiene] as const;
