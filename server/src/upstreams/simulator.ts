import { type ClientOptions, makeClient, makeObjectClient } from "./make-client.ts";
import type { Upstream } from "./upstream.ts";
import { UpstreamHealth } from "./upstream-health.ts";

/** Address of the built-in simulator. */
export type SimulatorAddress = { socketPath: string } | { origin: string };

/** Creates the simulator's upstream with the same kind of client as the real one, so that callers need no distinction. */
export function makeSimulatorUpstream(address: SimulatorAddress, options: ClientOptions): Upstream {
  return {
    id: "simulator",
    kind: "simulator",
    describe: { origin: "simulator", source: "simulator" },
    client: makeClient(address, options),
    objects: makeObjectClient(address, options),
    basePath: "",
    credential: null,
    testModel: null,
    priceTerms: null,
    health: new UpstreamHealth(),
  };
}
