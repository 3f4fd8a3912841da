import { isModelAllowed } from "#src/domain/allowed-models.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { UnknownPart } from "#src/domain/hold-request.ts";
import { findReach } from "#src/domain/request-reach.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { listUnknownParts } from "./explain-worst-case.rule.ts";
import type { ParsedMessage } from "./parse-message.ts";

const MAX_SHOWN_MODELS = 20;

/**
 * Throws a 403 unless the key may call every model that can answer. These are the model of the request, its fallbacks, and
 * the advisor of a server tool. A request that any model can answer is refused too.
 */
export function checkModels(key: FoundKey, message: ParsedMessage): void {
  const { allowedModels } = key;
  if (allowedModels === null) return;
  const { models, isAnyModel, unknownParts } = findReach(message);
  const refused = models.find((model) => !isModelAllowed(allowedModels, model));
  if (refused === undefined && !isAnyModel) return;
  throw new ApiError(
    "model_not_allowed",
    `This API key may only call these models: ${listOf(allowedModels)}. ${explainRefusal(refused, unknownParts)}`,
    {},
    { allowed_models: [...allowedModels] },
  );
}

function explainRefusal(refused: string | undefined, unknownParts: readonly UnknownPart[]): string {
  if (refused !== undefined) return `"${refused}" is not one.`;
  if (unknownParts.every(({ name }) => name === "")) return "This request leaves a model open.";
  return `This server does not know whether a part of this request calls another model: ${listUnknownParts(unknownParts)}.`;
}

function listOf(models: readonly string[]): string {
  const more = models.length - MAX_SHOWN_MODELS;
  const shown = models.slice(0, MAX_SHOWN_MODELS).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
