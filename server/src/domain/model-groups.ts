import { findListedModel } from "./price-book.ts";
import { priceList } from "./price-list.ts";

// Groups of models that share a rate limit. Source: the official page on rate limits (copy of September 2026). Opus
// 4.x, Sonnet 4.x, Fable 5.x and Mythos 5.x are one group each. Opus 5, Sonnet 5 and Haiku 4.5 have their own. The page
// does not mention the 5.5 models: each has its own group, like every earlier generation. The upstream refuses retired
// models, which belong to the group of their successors.

export interface ModelGroup {
  /** Never changes, because the database and clients store it. */
  id: string;
  displayName: string;
  /** Names and aliases of the models. Null: the group has no list. */
  models: readonly string[] | null;
  /** False if only requests can be limited. */
  hasTokenLimits: boolean;
}

/** Messages of all models together. Its limit applies in addition to the limit of the model's group. */
export const ALL_MODELS = "all";
/** Token counting, which is no message of a model. As in the official API, only requests are limited. */
export const TOKEN_COUNT = "token_count";
/** All models outside other groups. They share one bucket, because clients can invent any number of names. */
export const OTHER_MODELS = "other";

const pooled: readonly (readonly [id: string, displayName: string, models: readonly string[]])[] = [
  ["fable_5", "Claude Fable 5.x", ["claude-fable-5", "claude-fable-5-1", "claude-fable-5-2"]],
  ["mythos_5", "Claude Mythos 5.x", ["claude-mythos-5", "claude-mythos-5-1", "claude-mythos-5-2"]],
  ["mythos_preview", "Claude Mythos Preview", ["claude-mythos-preview"]],
  ["opus_5_5", "Claude Opus 5.5", ["claude-opus-5-5"]],
  ["opus_5", "Claude Opus 5", ["claude-opus-5"]],
  [
    "opus_4",
    "Claude Opus 4.x",
    [
      "claude-opus-4-8",
      "claude-opus-4-7",
      "claude-opus-4-6",
      "claude-opus-4-5",
      "claude-opus-4-1",
      "claude-opus-4",
    ],
  ],
  ["sonnet_5_5", "Claude Sonnet 5.5", ["claude-sonnet-5-5"]],
  ["sonnet_5", "Claude Sonnet 5", ["claude-sonnet-5"]],
  ["sonnet_4", "Claude Sonnet 4.x", ["claude-sonnet-4-6", "claude-sonnet-4-5", "claude-sonnet-4"]],
  ["haiku_5_5", "Claude Haiku 5.5", ["claude-haiku-5-5"]],
  ["haiku_4_5", "Claude Haiku 4.5", ["claude-haiku-4-5"]],
  [
    "claude_3",
    "Claude 3.x",
    [
      "claude-3-7-sonnet",
      "claude-3-5-sonnet",
      "claude-3-opus",
      "claude-3-haiku",
      "claude-haiku-3-5",
    ],
  ],
];

const namesOf = new Map(priceList.map(({ id, aliases }) => [id, [id, ...aliases]]));

/** Groups that a rate limit can have: groups of models, then groups without a list of models. */
export const modelGroups: readonly ModelGroup[] = [
  ...pooled.map(([id, displayName, models]) => ({
    id,
    displayName,
    models: models.flatMap((model) => namesOf.get(model) ?? [model]),
    hasTokenLimits: true,
  })),
  { id: OTHER_MODELS, displayName: "Other models", models: null, hasTokenLimits: true },
  { id: ALL_MODELS, displayName: "All models", models: null, hasTokenLimits: true },
  { id: TOKEN_COUNT, displayName: "Token counting", models: null, hasTokenLimits: false },
];

const groupById = new Map(modelGroups.map((group) => [group.id, group]));
const groupByModel = new Map(pooled.flatMap(([id, , models]) => models.map((name) => [name, id])));

export function findModelGroup(id: string): ModelGroup | null {
  return groupById.get(id) ?? null;
}

/** Group of a model by its id, an alias or a dated snapshot. `OTHER_MODELS` for an unlisted model. */
export function modelGroupOf(model: string): string {
  const listed = findListedModel(model);
  return (listed && groupByModel.get(listed.id)) ?? OTHER_MODELS;
}
