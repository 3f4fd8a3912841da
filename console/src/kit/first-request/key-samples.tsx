import { useList } from "../../queries.ts";
import { useSession } from "../../session.ts";
import type { ApiKey } from "../api-keys/queries.ts";
import { CodeSamples } from "../code-samples/code-samples.tsx";
import { findUsableModel, makeFirstRequest } from "../code-samples/first-request.ts";
import type { Client } from "../code-samples/write-code.ts";
import { usePersonalKeyOptions } from "../personal-keys/queries.ts";

/** Key of a sample. Null: an unknown key of the member. */
export type SampleKey = Pick<ApiKey, "allowed_models" | "owner"> | null;

interface KeySamplesProps {
  apiKey: SampleKey;
  /** Null: the reader has set the key in a variable. */
  secret: string | null;
  /** Default: clients that need no other API. */
  clients?: readonly [Client, ...Client[]];
}

/** Code that sends a first request with a model that the key may use. */
export function KeySamples({ apiKey, ...samples }: KeySamplesProps) {
  const { member } = useSession();
  const options = usePersonalKeyOptions();
  const isOwn =
    apiKey === null || (apiKey.owner.type === "member" && apiKey.owner.id === member.id);
  const groupModels = isOwn ? (options.data?.group_models ?? null) : null;
  const lists = [apiKey?.allowed_models ?? null, groupModels];
  const isListed = findUsableModel(lists) !== null;
  const prices = useList("listModelPrices", {}, { isEnabled: !isListed });
  const known = (prices.data?.items ?? [])
    .filter(({ lifecycle }) => lifecycle === "active")
    .map(({ model }) => model);
  const model = findUsableModel(lists, known);
  // About the height of the code, so that content below does not move.
  if (options.isLoading || prices.isLoading) return <div className="min-h-80" />;
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
