import { Badge } from "../../ui/badge.tsx";

/** Service tier of requests that the simulator answered. */
export const SIMULATED_TIER = "simulated";

/** True for a request that the simulator answered. The provider bills none of its cost. */
export function isSimulated({ service_tier }: { service_tier: string }): boolean {
  return service_tier === SIMULATED_TIER;
}

/** Mark beside a cost that no provider bills. */
export function SimulatedBadge() {
  return (
    <span title="The simulator answered. No provider bills this cost.">
      <Badge>Simulated</Badge>
    </span>
  );
}
