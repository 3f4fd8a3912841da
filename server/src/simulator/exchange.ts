import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "#src/lib/clock.ts";
import type { PromptCache } from "./prompt-cache.ts";
import type { RequestLog } from "./request-log.ts";

/** State of the simulator between requests. */
export interface SimulatorDeps {
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
