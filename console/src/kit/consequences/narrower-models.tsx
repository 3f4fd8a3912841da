import { useState } from "react";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Consequences } from "./consequences.tsx";
import { describeRefusedModels } from "./model-patterns.ts";

const WEEK_MS = 7 * 86_400_000;
const MAX_MODELS = 100;

interface NarrowerModelsProps {
  /** Requests that the list is for. */
  filter: { api_key_id: string[] } | { group_id: string[] };
  /** Workspace of the key. */
  workspaceId?: string;
  /** Names and prefixes of the form. Empty: all models. */
  models: readonly string[];
}

/** Requests of the last week that the list of models would have refused, before it is saved. */
export function NarrowerModels({ filter, workspaceId, models }: NarrowerModelsProps) {
  const may = useMay();
  const [startingAt] = useState(() => new Date(Date.now() - WEEK_MS).toISOString());
  const usage = useApi(
    "getUsage",
    {
      query: {
        ...filter,
        starting_at: startingAt,
        bucket: "none",
        group_by: ["model"],
        limit: MAX_MODELS,
      },
    },
    { isEnabled: models.length > 0 && may("usage:read", workspaceId) },
  );
  return (
    <Consequences sentences={describeRefusedModels(usage.data?.data, models)} counts={[usage]} />
  );
}
