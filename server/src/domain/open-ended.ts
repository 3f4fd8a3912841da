import type { HoldRequest, UnknownPart } from "./hold-request.ts";
import { WEB_SEARCH_NANO_USD } from "./price-list.ts";
import { isAdvisor, type RequestReach } from "./request-reach.ts";

// Requests without a bound on their cost. The API calls the model repeatedly and bills the whole prompt each time.
// Their hold assumes a number of calls. More calls are possible and cause an overrun.

/** The API pauses a turn after this many calls of the model with server tools (`stop_reason: "pause_turn"`). */
export const MAX_SERVER_CALLS = 10;
/** Searches are billed singly, and one call may request several. With `max_uses` that number applies. */
export const ASSUMED_WEB_SEARCHES = 30;
/** Assumed length of a fallback chain that the request does not list. */
export const ASSUMED_FALLBACKS = 3;

const MORE_CALLS = MAX_SERVER_CALLS - 1;

export type OpenEndedReason =
  | { kind: "server_tool"; type: string; maxUses: number | null; webSearches: number }
  | { kind: "unknown_parts"; parts: readonly UnknownPart[] }
  | {
      kind: "mcp_servers" | "container" | "compaction" | "thread" | "default_fallbacks";
    };

export interface OpenEnd {
  /** Never empty. */
  reasons: readonly OpenEndedReason[];
  /** Number of model calls for one attempt, including the first one and calls of other models. */
  calls: number;
  feesNanoUsd: bigint;
  /** False if each call has the bound of a closed request. */
  isPromptOpen: boolean;
  /** True if the API may write to the cache, whatever the body says. */
  canWriteCache: boolean;
}

/** Finds the reasons why a request has no bound, and the assumptions instead. Null: the request is closed. */
export function findOpenEnd(request: HoldRequest, reach: RequestReach): OpenEnd | null {
  if (!reach.canCallAgain && !request.fallbacks.hasUnknownModel) return null;
  const reasons = listOpenEndedReasons(request);
  const more = Math.min(
    MORE_CALLS,
    reasons.reduce((sum, reason) => sum + countMoreCalls(reason), 0),
  );
  const hasUnknown = reach.unknownParts.length > 0;
  const advisors = request.serverTools.filter(isAdvisor);
  const advice = advisors.reduce((sum, { maxUses }) => sum + Math.min(maxUses ?? more, more), 0);
  // An unknown part can be an advisor and a compaction too.
  const otherAdvice = hasUnknown ? more : 0;
  const compactions = request.markers.hasCompaction || hasUnknown ? 1 + more : 0;
  const searches = reasons.reduce((sum, reason) => sum + webSearchesOf(reason), 0);
  return {
    reasons,
    calls: 1 + more + advice + otherAdvice + compactions,
    feesNanoUsd: BigInt(searches) * WEB_SEARCH_NANO_USD,
    isPromptOpen: reasons.some(({ kind }) => kind !== "default_fallbacks"),
    canWriteCache: reasons.some(canWriteCache),
  };
}

function listOpenEndedReasons(request: HoldRequest): OpenEndedReason[] {
  const { markers } = request;
  const reasons: OpenEndedReason[] = request.serverTools.map(({ type, maxUses }) => ({
    kind: "server_tool",
    type,
    maxUses,
    webSearches: type.startsWith("web_search") ? (maxUses ?? ASSUMED_WEB_SEARCHES) : 0,
  }));
  if (markers.hasMcpServers) reasons.push({ kind: "mcp_servers" });
  if (markers.hasContainer || markers.hasSkills) reasons.push({ kind: "container" });
  if (markers.hasCompaction) reasons.push({ kind: "compaction" });
  if (markers.hasThread) reasons.push({ kind: "thread" });
  if (request.unknownParts.length > 0) {
    reasons.push({ kind: "unknown_parts", parts: request.unknownParts });
  }
  if (request.fallbacks.hasUnknownModel) reasons.push({ kind: "default_fallbacks" });
  return reasons;
}

/** Model calls after the first: one for each tool use, up to the API's pause. */
function countMoreCalls(reason: OpenEndedReason): number {
  switch (reason.kind) {
    case "server_tool":
      return Math.min(reason.maxUses ?? MORE_CALLS, MORE_CALLS);
    case "mcp_servers":
    case "container":
    case "thread": // tools of earlier turns may still be active
    case "unknown_parts":
      return MORE_CALLS;
    case "compaction": // counted in addition to the compacted calls
    case "default_fallbacks":
      return 0;
  }
}

function webSearchesOf(reason: OpenEndedReason): number {
  return reason.kind === "server_tool" ? reason.webSearches : 0;
}

/** An advisor has its own cache. Web tools and MCP write to the cache only if the body contains a `cache_control`. */
function canWriteCache(reason: OpenEndedReason): boolean {
  switch (reason.kind) {
    case "server_tool":
      return isAdvisor(reason);
    case "mcp_servers":
    case "default_fallbacks":
      return false;
    default:
      return true;
  }
}
