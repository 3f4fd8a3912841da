import { makePool } from "./anthropic.ts";
import type { Upstream } from "./upstream.ts";

/** Where the built-in simulator listens. */
export type SimulatorAddress = { socketPath: string } | { origin: string };

/** The simulator behind the same kind of pool as the real upstream, so that nothing else can tell them apart. */
export function makeSimulatorUpstream(address: SimulatorAddress, idleTimeoutMs: number): Upstream {
  const origin = "origin" in address ? address.origin : "http://localhost";
  const socketPath = "socketPath" in address ? address.socketPath : undefined;
  return {
    kind: "simulator",
    describe: { origin: "simulator", source: "simulator" },
    pool: makePool(origin, idleTimeoutMs, socketPath),
    basePath: "",
    credential: null,
  };
}
