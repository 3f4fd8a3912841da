import { useList } from "../../queries.ts";
import type { ApiKey } from "../api-keys/queries.ts";
import { CodeSamples } from "../code-samples/code-samples.tsx";
import { findUsableModel, makeFirstRequest } from "../code-samples/first-request.ts";
import type { Client } from "../code-samples/write-code.ts";
import { usePersonalKeyOptions } from "./queries.ts";

interface KeySamplesProps {
  apiKey: Pick<ApiKey, "allowed_models">;
  /** Null: the reader has set the key in a variable. */
  secret: string | null;
  /** Default: all clients. */
  clients?: readonly [Client, ...Client[]];
  hasKeyStore?: boolean;
}

/** Commands that send a first request with a model that the key may use. */
export function KeySamples({ apiKey: { allowed_models }, ...samples }: KeySamplesProps) {
  const options = usePersonalKeyOptions();
  const lists = [allowed_models, options.data?.group_models ?? null];
  const isListed = findUsableModel(lists) !== null;
  const prices = useList("listModelPrices", {}, { isEnabled: !isListed });
  const known = (prices.data?.items ?? [])
    .filter(({ lifecycle }) => lifecycle === "active")
    .map(({ model }) => model);
  const model = findUsableModel(lists, known);
  if (options.isLoading || prices.isLoading) return null;
  if (model === null) {
    return (
      <p className="text-sm text-quiet">
        No known model is in the lists of the key and of your groups. Ask a Workspace Admin for the
        name of a model.
      </p>
    );
  }
  return (
    <CodeSamples
      {...samples}
      request={makeFirstRequest(model)}
      hasFixedModel={lists.some((list) => list !== null)}
    />
  );
}
