import { useState } from "react";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { formatPlural } from "../../ui/format.ts";
import { allowsModel } from "./model-patterns.ts";

const WEEK_MS = 7 * 86_400_000;
const MAX_MODELS = 100;

interface NarrowerModelsProps {
  apiKeyId: string;
  workspaceId: string;
  /** Names and prefixes of the form. Empty: all models. */
  models: readonly string[];
}

/** Requests of the last week that the list of models would have refused, before it is saved. */
export function NarrowerModels({ apiKeyId, workspaceId, models }: NarrowerModelsProps) {
  const may = useMay();
  const [startingAt] = useState(() => new Date(Date.now() - WEEK_MS).toISOString());
  const usage = useApi(
    "getUsage",
    {
      query: {
        api_key_id: [apiKeyId],
        starting_at: startingAt,
        bucket: "none",
        group_by: ["model"],
        limit: MAX_MODELS,
      },
    },
    { isEnabled: may("usage:read", workspaceId) },
  );
  const refused = (usage.data?.data ?? []).filter(
    ({ model }) => model !== null && !allowsModel(models, model),
  );
  if (refused.length === 0) return null;
  const requests = refused.reduce((sum, each) => sum + each.requests, 0);
  return (
    <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
      {formatPlural(requests, "request")} of the last 7 days used models that this list refuses:{" "}
      {refused.map(({ model }) => model).join(", ")}.
    </p>
  );
}
