import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import type { PlatformTerms } from "#src/domain/platform-prices.ts";
import { findProfile, toModelId } from "./bedrock/bedrock-dialect.ts";

/** Returns the facts of an upstream that decide its prices. */
export function toPlatformTerms(settings: ProviderSettings): PlatformTerms {
  const { provider } = settings;
  switch (settings.provider) {
    case "bedrock": {
      const isUsuallyRegional = findProfile(settings) !== "global";
      const named = Object.values(settings.model_names ?? {});
      return {
        provider,
        // An ARN does not say where its model runs, so the settings decide.
        isRegional: (model) => isRegionalId(toModelId(settings, model)) ?? isUsuallyRegional,
        hasRegional: isUsuallyRegional || named.some((id) => isRegionalId(id) !== false),
      };
    }
    case "vertex": {
      const isRegional = settings.region !== "global";
      return { provider, isRegional: () => isRegional, hasRegional: isRegional };
    }
    case "foundry": {
      const isDataZone = settings.is_us_data_zone === true;
      return { provider, isRegional: () => isDataZone, hasRegional: isDataZone };
    }
  }
}

/** Null: the id does not tell. */
function isRegionalId(id: string): boolean | null {
  if (id.startsWith("arn:")) return null;
  return !id.startsWith("global.");
}
