import { buildConnector } from "undici";
import { makePoolClient } from "./pool-client.ts";
import { CONNECT_TIMEOUT_MS, type Upstream } from "./upstream.ts";

/** Address of the built-in simulator. */
export type SimulatorAddress = { socketPath: string } | { origin: string };

/** Maximum number of connections being opened. The queue of a socket has at least 511 places. */
const MAX_OPENING = 128;
const RETRY_MS = 10;
const MAX_RETRIES = CONNECT_TIMEOUT_MS / RETRY_MS;

/** Creates the simulator's upstream with the same kind of client as the real one, so that callers need no distinction. */
export function makeSimulatorUpstream(address: SimulatorAddress, idleTimeoutMs: number): Upstream {
  return {
    kind: "simulator",
    describe: { origin: "simulator", source: "simulator" },
    client:
      "origin" in address
        ? makePoolClient({ origin: address.origin, idleTimeoutMs })
        : makePoolClient({
            origin: "http://localhost",
            idleTimeoutMs,
            connect: makeConnector(address.socketPath),
          }),
    basePath: "",
    credential: null,
  };
}

/**
 * Opens a limited number of connections at once, and retries on EAGAIN: the queue of the socket is full and nothing was
 * sent. The simulator runs in this process, so it cannot accept connections while a burst of requests opens them.
 */
function makeConnector(socketPath: string): buildConnector.connector {
  const connect = buildConnector({ socketPath, timeout: CONNECT_TIMEOUT_MS });
  const waiting: (() => void)[] = [];
  let opening = 0;

  function tryToConnect(
    options: buildConnector.Options,
    callback: buildConnector.Callback,
    retriesLeft: number,
  ): void {
    connect(options, (...result) => {
      const isQueueFull = (result[0] as NodeJS.ErrnoException | null)?.code === "EAGAIN";
      if (isQueueFull && retriesLeft > 0) {
        setTimeout(tryToConnect, RETRY_MS, options, callback, retriesLeft - 1);
        return;
      }
      opening -= 1;
      waiting.shift()?.();
      callback(...result);
    });
  }

  return (options, callback) => {
    const open = () => {
      opening += 1;
      tryToConnect(options, callback, MAX_RETRIES);
    };
    if (opening < MAX_OPENING) open();
    else waiting.push(open);
  };
}
