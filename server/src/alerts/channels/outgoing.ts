import { type GuardedClient, makeGuardedClient } from "#src/lib/guarded-client.ts";

/** Outbound requests to receivers that administrators chose. */
export interface Outgoing {
  client: GuardedClient;
  /** Address of PagerDuty's Events API. */
  pagerDutyUrl: (region: "us" | "eu") => string;
}

const pagerDutyUrls = {
  us: "https://events.pagerduty.com/v2/enqueue",
  eu: "https://events.eu.pagerduty.com/v2/enqueue",
} as const;

/** `allowed`: private networks from `BURSAR_ALLOW_PRIVATE_TARGETS`. */
export function makeOutgoing(allowed: readonly string[]): Outgoing {
  return {
    client: makeGuardedClient({ allowed }),
    pagerDutyUrl: (region) => pagerDutyUrls[region],
  };
}
