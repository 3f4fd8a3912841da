import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "#src/lib/clock.ts";
import type { ObjectStores } from "./objects/object-stores.ts";
import type { PromptCache } from "./prompt-cache.ts";
import type { RequestLog } from "./request-log.ts";

/** State of the simulator between requests. */
export interface SimulatorDeps extends ObjectStores {
  clock: Clock;
  cache: PromptCache;
  log: RequestLog;
}

/** One request, and the headers of every response. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  requestId: string;
  headers: Record<string, string>;
}

/** True if the request asks for a beta, by its header or, in the older API version, by its query. */
export function isBeta({ request, url }: Exchange): boolean {
  const names = request.headers["anthropic-beta"];
  return url.searchParams.get("beta") === "true" || (names !== undefined && names !== "");
}

/** Sends an object as JSON. */
export function sendObject({ response, headers }: Exchange, value: object): void {
  response
    .writeHead(200, { ...headers, "content-type": "application/json" })
    .end(JSON.stringify(value));
}
