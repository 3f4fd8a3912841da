import type { Input } from "../../api-client.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useSpendLimits } from "../../kit/spend-limits/queries.ts";
import { useApi } from "../../queries.ts";
import { toUsdText } from "../../ui/format.ts";
import { useDebounced } from "../../ui/use-debounced.ts";
import { describeAddedFeature, describeDeletedFeature, describeNewPrice } from "./price-effects.ts";

const TYPING_PAUSE_MS = 400;

type Body = Input<"previewModelPrice">["body"];
const noPrice: Body = { model: "-", input_usd: 0, output_usd: 0 };

/** Effects of the entered price. Null: it is not complete. */
export function PriceConsequences({ body }: { body: Body | null }) {
  const settled = JSON.parse(useDebounced(JSON.stringify(body), TYPING_PAUSE_MS)) as Body | null;
  const isShown = body !== null && settled !== null;
  const preview = useApi("previewModelPrice", { body: settled ?? noPrice }, { isEnabled: isShown });
  const limits = useSpendLimits(undefined, { isEnabled: isShown });
  const limit = limits.data?.items.find(
    ({ scope, period }) => scope.type === "organization" && period === "monthly",
  );
  const monthlyLimitUsd = limits.data && (limit ? toUsdText(limit.limit_usd) : null);
  return (
    <Consequences
      sentences={isShown ? describeNewPrice({ preview: preview.data, monthlyLimitUsd }) : []}
      counts={[preview]}
    />
  );
}

/** Effects of a new neutral feature. */
export function AddedFeature() {
  const { limits, strictLimits } = useStrictLimits();
  return <Consequences sentences={describeAddedFeature({ strictLimits })} counts={[limits]} />;
}

/** Effects of a deleted neutral feature. */
export function DeletedFeature({ name }: { name: string }) {
  const { limits, strictLimits } = useStrictLimits();
  return (
    <Consequences sentences={describeDeletedFeature({ name, strictLimits })} counts={[limits]} />
  );
}

function useStrictLimits() {
  const limits = useSpendLimits();
  const items = limits.data?.items;
  return {
    limits,
    strictLimits: items?.filter(({ enforcement }) => enforcement === "strict").length,
  };
}
