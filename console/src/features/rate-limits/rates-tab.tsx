import { LimitExplainer } from "../../kit/limits/limit-explainer.tsx";
import { KeyRates } from "../../kit/rate-limits/key-rates.tsx";
import { useRateLimits } from "../../kit/rate-limits/queries.ts";
import { RateLimitList } from "../../kit/rate-limits/rate-limit-list.tsx";
import { useMay } from "../../session.ts";
import { Section } from "../../ui/page.tsx";

export function RateLimitsTab() {
  const may = useMay();
  // What stands below the list comes with it, so that the list does not push it down.
  const isComing = useRateLimits(undefined).isPending;
  return (
    <div className="grid gap-12">
      <RateLimitList />
      {!isComing && may("api_keys:read") && (
        <Section
          title="What a key may send"
          lead="A request must find room in the limits of its key, its workspace and the company, all of them."
        >
          <LimitExplainer show={(apiKeyId) => <KeyRates apiKeyId={apiKeyId} />} />
        </Section>
      )}
    </div>
  );
}
