import type { LookupFunction } from "node:net";
import type { TunnelProxy } from "#src/http1/open-tunnel.ts";
import { makeSocketClient } from "#src/http1/upstream-client.ts";
import type { UpstreamAddress } from "#src/http1/upstream-connector.ts";
import { systemClock } from "#src/lib/clock.ts";
import type { HttpClient, StreamedClient } from "#src/lib/http-client.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import { makePoolClient, makeStreamedClient } from "./pool-client.ts";

// If both sides close an idle socket at once, a request is lost: it may have been processed, so it is not retried. The
// value is below the idle limit of common servers and proxies (60 s and more). A shorter limit in the upstream's
// `keep-alive` header has priority, less two seconds.
const KEEP_ALIVE_MS = 30_000;
const KEEP_ALIVE_MAX_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Maximum number of connections being opened to a local socket. Its queue has at least 511 places. */
const MAX_OPENING = 128;

export interface ClientOptions {
  /** Maximum silence before the response's headers and between its bytes, milliseconds. */
  idleTimeoutMs: number;
  /** The client over sockets sends at the end of turns. Null: undici sends. */
  turnEnd: TurnEnd | null;
  /** Longest time for a connection with its TLS handshake, milliseconds. Default: 10 seconds. */
  connectTimeoutMs?: number;
  /** Certificates that are trusted instead of the system's. */
  ca?: string;
  /** Resolves the host's name with each connection. Default: the system's. */
  lookup?: LookupFunction;
  /** Proxy of an origin with TLS. Default: none. */
  proxy?: TunnelProxy;
}

/** Creates the client of an address, without a connection. */
export function makeClient(address: UpstreamAddress, options: ClientOptions): HttpClient {
  const { turnEnd } = options;
  const limits = toLimits(address, options);
  if (turnEnd === null) return makePoolClient(limits);
  return makeSocketClient({ ...limits, turnEnd, nowMs: systemClock.monotonicMs });
}

/** Creates the client for stored objects of an address, without a connection. */
export function makeObjectClient(address: UpstreamAddress, options: ClientOptions): StreamedClient {
  return makeStreamedClient(toLimits(address, options));
}

function toLimits(address: UpstreamAddress, { turnEnd: _, ...others }: ClientOptions) {
  return {
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    ...others,
    address,
    maxOpening: "socketPath" in address ? MAX_OPENING : null,
    keepAliveMs: KEEP_ALIVE_MS,
    keepAliveMaxMs: KEEP_ALIVE_MAX_MS,
  };
}
