import { LimitsTab } from "../../kit/limits/limits-tab.tsx";
import { KeyRates } from "../../kit/rate-limits/key-rates.tsx";
import { rateLimits } from "../../kit/rate-limits/rate-limit-kind.ts";

export function RateLimitsTab() {
  return (
    <LimitsTab
      kind={rateLimits}
      ofKey={{
        title: "Rate limits of a key",
        lead: "Each request must be within the limits of its key, its workspace and the company.",
        show: (apiKeyId) => <KeyRates apiKeyId={apiKeyId} />,
      }}
    />
  );
}
