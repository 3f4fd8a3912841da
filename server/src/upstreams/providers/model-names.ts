import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { pageModels, readPageQuery } from "#src/domain/model-pages.ts";
import { toUndated } from "#src/domain/platform-models.ts";
import { priceList } from "#src/domain/price-list.ts";
import { decodePercent } from "#src/lib/decode-percent.ts";
import type { LocalAnswer } from "./dialect.ts";

/** Finds the name that the settings give to a model, by its name or its name without a date. */
export function findNamed({ model_names: names }: ProviderSettings, model: string): string | null {
  if (names === undefined) return null;
  for (const name of [model, toUndated(model)]) {
    if (Object.hasOwn(names, name)) return names[name] as string;
  }
  return null;
}

/** Date of models without a known one, as in the official API. */
const UNKNOWN_DATE = "1970-01-01T00:00:00Z";

/**
 * Answers `GET /v1/models` and `GET /v1/models/{id}`, which the platforms lack. Throws the official 404 for a model that neither
 * the settings nor the price list name, and `invalid_fields` for paging parameters.
 */
export function answerModels(
  settings: ProviderSettings,
  { path, modelId }: { path: string; modelId: string | null },
): LocalAnswer {
  if (modelId !== null) return { kind: "answer", body: findModel(settings, modelId) };
  const models = listModels(settings).map(toModel);
  return { kind: "answer", body: pageModels(models, readPageQuery(path)) };
}

/** Models with a name in the settings. Without names: all models of the price list that can be used. */
function listModels({ provider, model_names: names }: ProviderSettings): readonly string[] {
  const named = Object.keys(names ?? {});
  if (provider === "foundry" && named.length > 0) return named;
  const listed = priceList
    .filter(({ lifecycle, periods }) => lifecycle === "active" && periods.length > 0)
    .map(({ id }) => id);
  return [...new Set([...named, ...listed])];
}

function findModel(settings: ProviderSettings, encodedId: string) {
  const id = decodePercent(encodedId) ?? encodedId;
  if (findNamed(settings, id) !== null || findListed(id) !== undefined) return toModel(id);
  throw new ApiError("resource_not_found", `model: ${id}`, {}, { resource: "model" });
}

function findListed(id: string) {
  return priceList.find((model) => model.id === id || model.aliases.includes(id));
}

function toModel(id: string) {
  const listed = findListed(id);
  return {
    type: "model",
    id,
    display_name: listed === undefined ? id : toDisplayName(id),
    created_at: UNKNOWN_DATE,
    lifecycle: listed?.lifecycle ?? "active",
    line: null,
    max_input_tokens: null,
    max_tokens: null,
    deprecated_at: null,
    retires_at: null,
    capabilities: null,
  };
}

/** Name of an official model for people, such as `Claude Opus 4.5`. */
function toDisplayName(id: string): string {
  const words = toUndated(id)
    .replaceAll(/(?<=\d)-(?=\d)/g, ".")
    .split("-");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ");
}
