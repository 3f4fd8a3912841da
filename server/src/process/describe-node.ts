import { type Config, findExposure } from "#src/config.ts";
import type { ReportsDatabase } from "#src/db/reports-database.ts";
import type { Gateway } from "#src/gateway/handle-request.ts";
import type { Meter } from "#src/recording/meter.ts";
import type { NodeFacts } from "#src/system/system.ts";
import type { Upstreams } from "#src/upstreams/resolve-upstream.ts";

interface NodeParts {
  config: Config;
  storage: { isEmbedded: boolean };
  core: { nodeId: string; meter: Meter; upstreams: Upstreams; reportsDatabase: ReportsDatabase };
}

/** Facts of this node for the system page. */
export function describeNode(
  { config, storage, core }: NodeParts,
  gateway: () => Gateway,
): NodeFacts {
  return {
    nodeId: core.nodeId,
    isDatabaseEmbedded: storage.isEmbedded,
    journal: config.journal,
    journalSync: config.journalSync,
    leaseTtlMs: config.leaseTtlMs,
    mailFrom: config.mailFrom ?? null,
    exposure: findExposure(config),
    requestsInFlight: () => gateway().stats().inFlight,
    meter: () => core.meter.status(),
    upstream: () => describeUpstream(core.upstreams),
    reportsDatabase: () => core.reportsDatabase.status(),
  };
}

function describeUpstream(upstreams: Upstreams): ReturnType<NodeFacts["upstream"]> {
  try {
    return { ...upstreams.current().describe, problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : "The upstream is not usable.";
    return { source: null, origin: null, problem };
  }
}
