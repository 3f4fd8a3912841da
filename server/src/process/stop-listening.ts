import type { Gateway } from "#src/gateway/handle-request.ts";
import type { Listener } from "#src/http/listen.ts";

/** Makes the function that accepts no new requests and resolves when running ones are finished. Idempotent. */
export function makeStopListening(running: {
  listener: Pick<Listener, "close">;
  gateway: Gateway;
  drainMs: number;
}): () => Promise<void> {
  let stopped: Promise<void> | null = null;
  return () => {
    // Concurrently: the listener closes sockets as they become idle, the gateway resolves when no response is running.
    stopped ??= running.listener.close(running.gateway.drain(running.drainMs));
    return stopped;
  };
}
