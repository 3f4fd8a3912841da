import { useList } from "../../queries.ts";
import type { ApiKey } from "../api-keys/queries.ts";
import { CodeSamples } from "../code-samples/code-samples.tsx";
import { findUsableModel, makeFirstRequest } from "../code-samples/first-request.ts";

interface KeySamplesProps {
  apiKey: Pick<ApiKey, "allowed_models">;
  /** Null: the reader has set the key in a variable. */
  secret: string | null;
}

/** Commands that send a first request with a model that the key may use. */
export function KeySamples({ apiKey: { allowed_models }, secret }: KeySamplesProps) {
  const isListed = allowed_models === null || findUsableModel(allowed_models) !== null;
  const prices = useList("listModelPrices", {}, { isEnabled: !isListed });
  const known = (prices.data?.items ?? [])
    .filter(({ lifecycle }) => lifecycle === "active")
    .map(({ model }) => model);
  const model = findUsableModel(allowed_models, known);
  if (prices.isLoading) return null;
  if (model === null) {
    return (
      <p className="text-sm text-quiet">
        The key can use {(allowed_models ?? []).join(", ") || "no model"}. Ask a Workspace Admin for
        the name of a model.
      </p>
    );
  }
  return (
    <CodeSamples
      secret={secret}
      request={makeFirstRequest(model)}
      hasFixedModel={allowed_models !== null}
    />
  );
}
