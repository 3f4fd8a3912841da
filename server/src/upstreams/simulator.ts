import { buildConnector } from "undici";
import { CONNECT_TIMEOUT_MS, makePool } from "./anthropic.ts";
import type { Upstream } from "./upstream.ts";

/** Where the built-in simulator listens. */
export type SimulatorAddress = { socketPath: string } | { origin: string };

/** Connections that are being opened at once. The queue of a socket has 511 places or more. */
const MAX_OPENING = 128;
const RETRY_MS = 10;
const MAX_RETRIES = CONNECT_TIMEOUT_MS / RETRY_MS;

/** The simulator behind the same kind of pool as the real upstream, so that nothing else can tell them apart. */
export function makeSimulatorUpstream(address: SimulatorAddress, idleTimeoutMs: number): Upstream {
  return {
    kind: "simulator",
    describe: { origin: "simulator", source: "simulator" },
    pool:
      "origin" in address
        ? makePool(address.origin, idleTimeoutMs)
        : makePool("http://localhost", idleTimeoutMs, makeConnector(address.socketPath)),
    basePath: "",
    credential: null,
  };
}

/**
 * Opens few connections at once, and again where the queue of the socket is full, which is EAGAIN: nothing was sent. The
 * simulator accepts in this process, so it cannot empty the queue while a burst of requests opens all of its connections.
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
