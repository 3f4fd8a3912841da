import type { Database } from "#src/db/pool.ts";
import { HEALTH_MINUTES, judgeHealth } from "./upstream-health.rule.ts";
import { countUpstreamRequests, type UpstreamRequests } from "./upstream-requests.sql.ts";

const MINUTE_MS = 60_000;

export interface UpstreamHealth extends UpstreamRequests {
  state: ReturnType<typeof judgeHealth>;
  minutes: number;
}

/** Judges the upstream of the organization by its requests of the last minutes. */
export async function getUpstreamHealth(
  { database, nowMs }: { database: Database; nowMs: () => number },
  organizationId: string,
): Promise<UpstreamHealth> {
  const since = new Date(Math.floor(nowMs()) - HEALTH_MINUTES * MINUTE_MS);
  const counts = await countUpstreamRequests(database, { organizationId, since });
  return { ...counts, state: judgeHealth(counts), minutes: HEALTH_MINUTES };
}
