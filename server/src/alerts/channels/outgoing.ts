import { type GuardedClient, makeGuardedClient } from "#src/lib/guarded-client.ts";

/** The way out of this installation, to receivers that administrators chose. */
export interface Outgoing {
  client: GuardedClient;
  /** Where PagerDuty takes events. */
  pagerDutyUrl: (region: "us" | "eu") => string;
}

const pagerDutyUrls = {
  us: "https://events.pagerduty.com/v2/enqueue",
  eu: "https://events.eu.pagerduty.com/v2/enqueue",
} as const;

/** `allowed`: of `BURSAR_ALLOW_PRIVATE_TARGETS`. */
export function makeOutgoing(allowed: readonly string[]): Outgoing {
  return {
    client: makeGuardedClient({ allowed }),
    pagerDutyUrl: (region) => pagerDutyUrls[region],
  };
}
