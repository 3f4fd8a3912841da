import { listAvailableModels } from "#src/domain/available-models.ts";
import {
  type ChosenPolicies,
  type DecidedKey,
  listDecidedKeys,
  type Settings,
  toEffectiveSettings,
} from "./effective-settings.rule.ts";

const MODELS = "availableModels";

/**
 * Effective settings with the models that the groups allow, unless a policy has its own list. Then clients offer what the
 * server accepts. A list in a policy can be shorter, and the server refuses other models whatever it says.
 */
export function addAllowedModels(
  settings: Settings,
  allowedModels: readonly string[] | null,
): Settings {
  const models = listAvailableModels(allowedModels);
  if (models === null || Object.hasOwn(settings, MODELS)) return settings;
  return {
    // Without these the default model stays available, and `claude-sonnet-5` also names later versions.
    enforceAvailableModels: true,
    availableModelsMatch: "exact",
    ...settings,
    [MODELS]: models,
  };
}

/** Settings that a person is served, with the policies that decided each key. */
export function explainServedSettings(
  chosen: ChosenPolicies,
  allowedModels: readonly string[] | null,
): { settings: Settings; keys: DecidedKey[] } {
  const effective = toEffectiveSettings(chosen);
  const settings = addAllowedModels(effective, allowedModels);
  const derived = Object.keys(settings)
    .filter((key) => !Object.hasOwn(effective, key))
    .map((path) => ({ path, policies: [] }));
  return { settings, keys: [...listDecidedKeys(chosen), ...derived] };
}
