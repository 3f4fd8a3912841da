import { type Config, findExposure } from "./config.ts";
import type { NodeFacts } from "./features/system/system.ts";
import type { Gateway } from "./gateway/handle-request.ts";
import type { Upstreams } from "./gateway/upstreams/resolve-upstream.ts";
import type { Meter } from "./metering/meter.ts";

interface NodeParts {
  config: Config;
  storage: { isEmbedded: boolean };
  core: { nodeId: string; meter: Meter; upstreams: Upstreams };
}

/** What this node knows of itself, for the page about the system. */
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
  };
}

function describeUpstream(upstreams: Upstreams): ReturnType<NodeFacts["upstream"]> {
  try {
    return { ...upstreams.current().describe, problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : "The upstream cannot be used.";
    return { source: null, origin: null, problem };
  }
}
