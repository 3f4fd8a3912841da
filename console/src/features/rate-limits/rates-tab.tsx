import { LimitsTab } from "../../kit/limits/limits-tab.tsx";
import { KeyRates } from "../../kit/rate-limits/key-rates.tsx";
import { rateLimits } from "../../kit/rate-limits/rate-limit-kind.ts";

export function RateLimitsTab() {
  return (
    <LimitsTab
      kind={rateLimits}
      ofKey={{
        title: "What a key may send",
        lead: "A request must find room in the limits of its key, its workspace and the company, all of them.",
        show: (apiKeyId) => <KeyRates apiKeyId={apiKeyId} />,
      }}
    />
  );
}
