import { isModelAllowed } from "#src/domain/allowed-models.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { MAX_SERVER_TOOLS } from "./parse-blocks.ts";
import type { ParsedMessage } from "./parse-message.ts";

const MAX_SHOWN_MODELS = 20;

/**
 * Throws a 403 unless the key may call every model that can answer. These are the model of the request, its fallbacks, and
 * the advisor of a server tool. A request that any model can answer is refused too.
 */
export function checkModels(key: FoundKey, message: ParsedMessage): void {
  const { allowedModels } = key;
  if (allowedModels === null) return;
  const refused = reachableModels(message).find(
    (model) => model === null || !isModelAllowed(allowedModels, model),
  );
  if (refused === undefined) return;
  const what = refused === null ? "This request leaves a model open" : `"${refused}" is not one`;
  throw new ApiError(
    "model_not_allowed",
    `This API key may only call these models: ${listOf(allowedModels)}. ${what}.`,
    {},
    { allowed_models: [...allowedModels] },
  );
}

/** Null stands for any model. */
function reachableModels({ model, fallbacks, serverTools }: ParsedMessage): (string | null)[] {
  const advisors = serverTools.filter(({ type }) => type.startsWith("advisor"));
  // A tool after the last one that was read may be an advisor.
  const isOpen = fallbacks.hasUnknownModel || serverTools.length >= MAX_SERVER_TOOLS;
  return [
    model,
    ...fallbacks.models,
    ...advisors.map((tool) => tool.model),
    ...(isOpen ? [null] : []),
  ];
}

function listOf(models: readonly string[]): string {
  const more = models.length - MAX_SHOWN_MODELS;
  const shown = models.slice(0, MAX_SHOWN_MODELS).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
