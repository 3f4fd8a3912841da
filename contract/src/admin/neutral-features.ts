import { z } from "zod";
import { nameText, optionalQuery, timestamp } from "../fields.ts";
import { neutralFeatureId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const kind = z.enum(["field", "tool", "block", "edit"]).meta({
  description:
    "`field`: a field of the body, or of a part of it, such as `thinking.later`. `tool`, `block`, `edit`: a type of a tool, a content block or a context edit.",
});
const featureName = z
  .string()
  .max(64)
  .regex(
    /^[A-Za-z0-9_.-]{2,}\*?$/,
    "expected letters, digits, `_`, `-` and `.`, with an optional final `*`",
  )
  .meta({ description: "A final `*` stands for digits, such as the date of a version: `bash_*`." });
export const neutralFeature = z
  .object({
    type: z.literal("neutral_feature"),
    id: neutralFeatureId.nullable().meta({ description: "Null: shipped with this release." }),
    kind,
    name: z.string(),
    effect: z.string(),
    source: z.string(),
    since: z.string().meta({ description: "Date of the source, or of the last change, in UTC." }),
    is_in_prompt: z.boolean(),
    origin: z.enum(["shipped", "organization"]),
    updated_at: timestamp.nullable(),
  })
  .meta({ id: "NeutralFeature" });

export const listNeutralFeatures = route({
  operationId: "listNeutralFeatures",
  method: "GET",
  path: "/v1/admin/neutral_features",
  summary: "List neutral features of requests",
  description:
    "Neutral features cannot raise the price of a request, reach another model or call again. Own rows first, newest first, then the shipped ones.",
  action: "model_prices:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, kind: optionalQuery(kind) }),
  response: pageCursor(neutralFeature),
});

export const setNeutralFeature = route({
  operationId: "setNeutralFeature",
  method: "POST",
  path: "/v1/admin/neutral_features",
  summary: "Set a neutral feature",
  description:
    "Creates or replaces the row of this kind and name. Requests with the feature are then held like requests without it, and keys with `allowed_models` can use it. Only add a feature that the documentation of the API describes.",
  action: "model_prices:write",
  audited: "neutral_feature.set",
  stepUp: true,
  body: z.strictObject({
    kind,
    name: featureName,
    effect: nameText.meta({ description: "Reason why the feature costs nothing." }),
    source: nameText.meta({ description: "Page or document that says so." }),
    is_in_prompt: z.boolean().default(true).meta({
      description:
        "False: the bytes of the field are not part of the prompt. Has an effect for fields at the top of the body only.",
    }),
  }),
  response: neutralFeature,
});

export const deleteNeutralFeature = route({
  operationId: "deleteNeutralFeature",
  method: "DELETE",
  path: "/v1/admin/neutral_features/{neutral_feature_id}",
  summary: "Delete a neutral feature",
  description: "The feature is unknown again. Shipped rows cannot be deleted.",
  action: "model_prices:write",
  audited: "neutral_feature.deleted",
  params: z.strictObject({ neutral_feature_id: neutralFeatureId }),
  response: z.object({ id: neutralFeatureId, type: z.literal("neutral_feature_deleted") }),
});

export const neutralFeatureRoutes = [
  listNeutralFeatures,
  setNeutralFeature,
  deleteNeutralFeature,
] as const;
