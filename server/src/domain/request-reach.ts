import type { HoldRequest, UnknownPart } from "./hold-request.ts";
import { findServerTool } from "./known-features.ts";

// The one place that decides which models a parsed request may reach, whether it may call again, and whether it may bill
// by time. Model lists of keys, holds and records use it. Unknown means any.

/** Code in a container, which is billed by the hour, independent of tokens. */
export type TimeBilledFeature = "code_execution" | "container";

export interface RequestReach {
  /** Named models that may answer or advise: the requested one first. Each may be present several times. */
  models: readonly string[];
  /** True: a model outside the list may answer or advise. */
  isAnyModel: boolean;
  /** True: one attempt may call a model more than once. */
  canCallAgain: boolean;
  /** `unknown`: an unknown part may bill by time. Null: nothing does. */
  timeBilled: TimeBilledFeature | "unknown" | null;
  unknownParts: readonly UnknownPart[];
}

type Facts = Pick<HoldRequest, "model" | "fallbacks" | "serverTools" | "unknownParts" | "markers">;

export function findReach(request: Facts): RequestReach {
  const { model, fallbacks, serverTools, unknownParts } = request;
  const models = [model, ...fallbacks.models];
  let isAnyModel = fallbacks.hasUnknownModel || unknownParts.length > 0;
  for (const tool of serverTools) {
    if (!isAdvisor(tool)) continue;
    if (tool.model === null) isAnyModel = true;
    else models.push(tool.model);
  }
  return {
    models,
    isAnyModel,
    canCallAgain: canCallAgain(request),
    timeBilled: findTimeBilled(request),
    unknownParts,
  };
}

/** True for a tool that calls a model of its own. */
export function isAdvisor({ type }: { type: string }): boolean {
  return findServerTool(type)?.tool.calls === "named_model";
}

function canCallAgain({ serverTools, unknownParts, markers }: Facts): boolean {
  const { hasMcpServers, hasContainer, hasSkills, hasThread, hasCompaction } = markers;
  const isKnown = hasMcpServers || hasContainer || hasSkills || hasThread || hasCompaction;
  return isKnown || serverTools.length > 0 || unknownParts.length > 0;
}

/** Finds the feature of a request that may be billed by time. Null: none. */
export function findTimeBilled({ serverTools, unknownParts, markers }: Facts) {
  if (serverTools.length === 0 && unknownParts.length === 0) {
    return markers.hasContainer || markers.hasSkills ? "container" : null;
  }
  const found = serverTools.map(({ type }) => findServerTool(type));
  const isFree = found.some(
    (server) =>
      server !== null &&
      server.tool.freeContainerFrom !== null &&
      (server.date ?? 0) >= server.tool.freeContainerFrom,
  );
  if (!isFree) {
    if (found.some((server) => server?.tool.isTimeBilled === true)) return "code_execution";
    if (markers.hasContainer || markers.hasSkills) return "container";
  }
  return unknownParts.length > 0 ? "unknown" : null;
}
