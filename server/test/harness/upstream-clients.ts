import { onTestFinished } from "vitest";
import type { HttpClient } from "#src/lib/http-client.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { type ClientOptions, makeClient } from "#src/upstreams/make-client.ts";

/** Both clients of upstreams: each test runs on both, with the same expectations. Name, and end of a turn. */
export const upstreamClients = [
  ["undici", null],
  ["sockets", makeTurnEnd()],
] as const;

/** Opens a client, until the end of the test. */
export function openClient(origin: string, options: Partial<ClientOptions> = {}): HttpClient {
  const client = makeClient({ origin }, { idleTimeoutMs: 20_000, turnEnd: null, ...options });
  onTestFinished(() => client.destroy());
  return client;
}
