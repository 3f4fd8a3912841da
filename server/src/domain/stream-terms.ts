import { type HoldRequest, isFastSpeed } from "./hold-request.ts";
import { boundInput, tightenInput } from "./input-bound.ts";
import { limitsOf } from "./model-limits.ts";
import type { ModelSpeed } from "./model-speeds.ts";
import { MAX_SERVER_CALLS } from "./open-ended.ts";
import { findResultTokens, findVisibleTool, type PageSize } from "./visible-tools.ts";
import { boundCall, isCountable, type Rate, type WorstCase } from "./worst-case.ts";

// Facts of a request that limits can hold in steps, and the reasons why others are held whole.

/** Facts of a request that can be held in steps. */
export interface StreamTerms {
  /** Prompt of the first call, tokens. */
  inputTokens: number;
  /** Most output of one call, tokens. */
  callOutputTokens: number;
  contextTokens: number;
  /** Highest price of a prompt token. */
  inputRate: Rate;
  /** Prices of prompt tokens of later calls: without any cache, read from it, and written to it by the API itself. */
  plainRate: Rate;
  readRate: Rate;
  writeRate: Rate;
  outputRate: Rate;
  /** The API caches results of tools. False: unknown. */
  cachesResults: boolean;
  speed: number;
  isThinking: boolean;
  /** Null: one call of the model. */
  tools: StreamTools | null;
}

export interface StreamTools {
  /** Most tokens of one result. */
  resultTokens: number;
  /** Size of a result whose pages are encrypted. Null: no tool has one. */
  page: PageSize | null;
  /** Most calls after the first. */
  moreCalls: number;
  hasSearch: boolean;
  types: readonly string[];
}

/** Speeds and tools that observations have not excluded. */
export interface StreamLimits {
  /** Null: the model has no data, or was faster. */
  findSpeed(model: string): ModelSpeed | null;
  /** True for a tool whose results were beyond their bound. */
  isExcludedTool(type: string): boolean;
  /** True for a model whose last stream with results cached them. Absent: unknown. */
  cachesResults?(model: string): boolean;
}

/**
 * Finds the facts of a request that can be held in steps. Null: its whole worst case must be held, because some of its
 * calls or models are not visible. The caller checks that the request asks for a stream. `countedTokens`: see
 * `tightenWorstCase`, which lowers the prompt of a closed request only. Null: not counted.
 */
export function findStreamTerms(
  request: HoldRequest & { thinking?: string },
  worstCase: WorstCase,
  limits: StreamLimits,
  countedTokens: number | null = null,
): StreamTerms | null {
  if (!isSingleAttempt(request)) return null;
  const tools = findStreamTools(request, worstCase, limits);
  if (tools === undefined) return null;
  const speeds = limits.findSpeed(request.model);
  if (speeds === null) return null;
  const { drivers } = worstCase;
  const { contextTokens } = limitsOf(request.model);
  const isClosed = worstCase.kind === "closed";
  return {
    inputTokens: isClosed ? drivers.inputTokens : boundFirstPrompt(request, countedTokens),
    callOutputTokens: isClosed ? drivers.outputTokens : boundCall(request).outputTokens,
    contextTokens,
    inputRate: drivers.inputRate,
    plainRate: drivers.plainRate,
    readRate: drivers.readRate,
    writeRate: drivers.writeRate,
    outputRate: drivers.outputRate,
    cachesResults: canWriteCache(drivers) && limits.cachesResults?.(request.model) === true,
    speed: isFastSpeed(request.speed) ? speeds.fast : speeds.standard,
    isThinking: request.thinking === "on",
    tools,
  };
}

function canWriteCache({ writeRate }: WorstCase["drivers"]): boolean {
  return writeRate.kind !== "input";
}

/** Tokens of the first prompt of an open-ended request. A closed one has its count in its worst case. */
function boundFirstPrompt(request: HoldRequest, countedTokens: number | null): number {
  const bound = boundInput(request, limitsOf(request.model));
  const isCounted = countedTokens !== null && isCountable(request, countedTokens);
  return (isCounted ? tightenInput(bound, countedTokens) : bound).tokens;
}

function isSingleAttempt({ fallbacks, unknownParts, markers }: HoldRequest): boolean {
  const { hasMcpServers, hasContainer, hasSkills, hasThread, hasCompaction } = markers;
  const isHidden = hasMcpServers || hasContainer || hasSkills || hasThread || hasCompaction;
  const hasFallback = fallbacks.models.length > 0 || fallbacks.hasUnknownModel;
  return !isHidden && !hasFallback && unknownParts.length === 0;
}

/** Null: no server tool. Undefined: a tool whose calls are not visible, or whose figure was too low. */
function findStreamTools(
  { serverTools, model }: HoldRequest,
  worstCase: WorstCase,
  limits: StreamLimits,
): StreamTools | null | undefined {
  if (serverTools.length === 0) return worstCase.kind === "closed" ? null : undefined;
  const { contextTokens } = limitsOf(model);
  let resultTokens = 0;
  let moreCalls = 0;
  let hasSearch = false;
  let page: PageSize | null = null;
  for (const { type, maxUses, maxContentTokens } of serverTools) {
    const tool = findVisibleTool(type);
    if (tool === null || limits.isExcludedTool(type)) return;
    const most = findResultTokens(tool, maxContentTokens ?? null);
    resultTokens = Math.max(resultTokens, Math.min(most, contextTokens));
    moreCalls = Math.min(MAX_SERVER_CALLS - 1, moreCalls + (maxUses ?? MAX_SERVER_CALLS));
    hasSearch ||= tool.isSearch;
    page ??= tool.page;
  }
  return { resultTokens, page, moreCalls, hasSearch, types: serverTools.map(({ type }) => type) };
}
