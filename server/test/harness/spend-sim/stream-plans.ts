import { EMPTY_REQUEST, type HoldRequest } from "#src/domain/hold-request.ts";
import type { PageSize } from "#src/domain/visible-tools.ts";
import { type Counts, Run, type RunPart } from "./provider.ts";
import type { Random } from "./random.ts";

// Requests of agents, and the runs that answer them.

const MODELS = ["claude-opus-4-8", "claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5"] as const;
const MAX_TOKENS = [500, 1_000, 4_000, 8_000, 32_000, 64_000] as const;
const WINDOW_TOKENS = 200_000;
/** Shares of requests. */
const TOOL_SHARE = 0.15;
/** The same in runs whose tools break their bounds. */
const BROKEN_TOOL_SHARE = 0.6;
const FALLBACK_SHARE = 0.05;
const THINKING_SHARE = 0.3;
const UNKNOWN_SHARE = 0.1;
const FALLBACK: HoldRequest["fallbacks"] = {
  models: ["claude-sonnet-5"],
  maxTokens: null,
  hasFastSpeed: false,
  hasUnknownModel: false,
};
/** Most bytes of a visible token. */
const MAX_TOKEN_BYTES = 6;
const MAX_CALLS = 6;
/** Shortest run of a tool: the longest delay of its block, and the time in which the product cuts. */
const LEAST_RUN_MS = 2_000;
/** The same with a further second, in which the call counts. */
const LEAST_ANNOUNCED_RUN_MS = 2_700;
/** Most pages of a search result. */
const MAX_PAGES = 10;
/** Longest run of a tool that is faster than the bound assumes. */
const FAST_RUN_MS = 800;
/** Most output tokens that the start of a response reports. */
const MAX_FIRST_TOKENS = 8;

export interface StreamPlan {
  request: HoldRequest & { thinking?: string };
  /** Prompt tokens of the first call. At most the bound by bytes. */
  inputTokens: number;
  /** Part of the first prompt that is read from the cache. */
  cachedShare: number;
  /** Later calls write all that is new to the cache, and read the rest. */
  cachesResults: boolean;
  /** An earlier stream has shown that. */
  isCacheKnown: boolean;
  outputs: "text" | "thinking" | "unknown" | "tools";
  /** Lengths of answers: any, or those of agents, of which nearly all are short. */
  lengths: "any" | "agent";
  /** Place that the response states. Null: none. */
  inferenceGeo: "us" | "global" | null;
}

/** Facts that bound a run, and the ways in which it breaks them. */
export interface RunBounds {
  /** Highest speed of the model in its data. */
  tokensPerSecond: number;
  /** Most tokens of one result of a server tool. */
  resultTokens: number;
  page: PageSize | null;
  isTooFast: boolean;
  hasLargeResults: boolean;
  /** Tools answer within less than a second. */
  hasFastTools: boolean;
}

export function planStream(
  random: Random,
  { hasLargeResults, hasFastTools }: Pick<RunBounds, "hasLargeResults" | "hasFastTools">,
): StreamPlan {
  const model = random.pick(MODELS) ?? MODELS[0];
  const inputTokens = 500 + random.below(random.chance(0.2) ? 60_000 : 6_000);
  const bodyBytes = inputTokens * (1 + random.below(4));
  const areBroken = hasLargeResults || hasFastTools;
  const hasTools = random.chance(areBroken ? BROKEN_TOOL_SHARE : TOOL_SHARE);
  const chance = random.next();
  const other = chance < THINKING_SHARE ? "thinking" : "text";
  const kind = chance > 1 - UNKNOWN_SHARE ? "unknown" : other;
  const cachedShare = random.chance(0.5) ? random.next() : 0;
  const request = makeHoldRequest({
    model,
    maxTokens: random.pick(MAX_TOKENS) ?? 0,
    bodyBytes,
    ...(hasTools && { serverTools: [planTool(random)] }),
    ...(cachedShare > 0 && { markers: { ...EMPTY_REQUEST.markers, hasCacheControl5m: true } }),
    // Limits hold it whole, because another model may answer too.
    ...(random.chance(FALLBACK_SHARE) && { fallbacks: FALLBACK }),
  });
  // Some models think without a field for it.
  const isOn = kind === "thinking" && random.chance(0.7);
  const cachesResults = cachedShare > 0 && random.chance(0.5);
  const inferenceGeo = random.pick(["us", "global", null] as const) ?? null;
  const asked = isOn ? { ...request, thinking: "on" } : request;
  return {
    request: asked,
    inputTokens,
    cachedShare,
    cachesResults,
    isCacheKnown: cachesResults && random.chance(0.5),
    outputs: hasTools ? "tools" : kind,
    lengths: "any",
    inferenceGeo,
  };
}

function planTool(random: Random): HoldRequest["serverTools"][number] {
  const type = random.chance(0.8) ? "web_search_20250305" : "web_fetch_20250910";
  const maxUses = random.chance(0.5) ? 1 + random.below(5) : null;
  const tool = { type, maxUses, model: null };
  const isLimited = type.startsWith("web_fetch") && random.chance(0.5);
  return isLimited ? { ...tool, maxContentTokens: 500 + random.below(10_000) } : tool;
}

/** A closed request without anything special. */
export function makeHoldRequest(
  facts: Pick<HoldRequest, "model" | "maxTokens" | "bodyBytes"> & Partial<HoldRequest>,
): HoldRequest {
  return { ...EMPTY_REQUEST, ...facts };
}

/** Plans the run of a stream: what the provider generates, when, and what the node can see of it. */
export function planRun(plan: StreamPlan, bounds: RunBounds, random: Random): Run {
  return new RunPlanner(plan, bounds, random).plan();
}

class RunPlanner {
  readonly #plan: StreamPlan;
  readonly #bounds: RunBounds;
  readonly #random: Random;
  readonly #parts: RunPart[] = [];
  /** Prompt tokens of the next call. */
  #promptTokens: number;
  /** Part of the next prompt that the cache has. */
  #cachedTokens: number;
  /** Part of the model's highest speed that this run has in general. */
  readonly #pace: number;
  readonly #isAnnounced: boolean;

  constructor(plan: StreamPlan, bounds: RunBounds, random: Random) {
    this.#plan = plan;
    this.#bounds = bounds;
    this.#random = random;
    this.#promptTokens = plan.inputTokens;
    this.#cachedTokens = Math.floor(plan.inputTokens * plan.cachedShare);
    this.#pace = 0.2 + 0.8 * random.next();
    this.#isAnnounced = random.chance(0.5) && !bounds.hasFastTools;
  }

  plan(): Run {
    const random = this.#random;
    const { outputs, request } = this.#plan;
    this.#parts.push({ ms: 50 + random.below(random.chance(0.1) ? 8_000 : 1_500) });
    this.#parts.push({
      ms: random.below(300),
      atStart: {
        starts: 1,
        inputTokens: this.#promptTokens,
        readTokens: this.#cachedTokens,
        outputTokens: 1 + random.below(MAX_FIRST_TOKENS),
      },
    });
    const [tool] = request.serverTools;
    const most = Math.min(tool?.maxUses ?? MAX_CALLS, MAX_CALLS);
    const uses = outputs === "tools" ? random.below(most + 1) : 0;
    for (let use = 0; use < uses; use++) this.#addToolUse(tool?.type ?? "");
    this.#addAnswer();
    return new Run(this.#parts, { isAnnounced: uses === 0 || this.#isAnnounced });
  }

  /** Output of the last call. */
  #addAnswer(): void {
    const random = this.#random;
    const { outputs } = this.#plan;
    const length = this.#pickLength();
    const canHide = outputs === "tools" ? random.chance(0.3) : outputs !== "text";
    const hidden = canHide ? random.below(length + 1) : 0;
    // Some models think again after a text.
    const isLate = random.chance(0.4);
    if (isLate) this.#addText(length - hidden);
    if (canHide) this.#addBlock({ hiddenBlocks: 1 }, hidden, 0);
    if (!isLate) this.#addText(length - hidden);
  }

  /** Output of one call: usually a small part of `max_tokens`. */
  #pickLength(): number {
    const random = this.#random;
    // The start of the response counts some tokens already.
    const most = Math.max(1, (this.#plan.request.maxTokens ?? 0) - MAX_FIRST_TOKENS);
    if (this.#plan.lengths === "agent") return Math.min(most, pickAgentLength(random));
    if (random.chance(0.1)) return most;
    return Math.min(most, 50 + random.below(random.chance(0.3) ? 6_000 : 800));
  }

  #addText(tokens: number): void {
    if (tokens <= 0) return;
    this.#addBlock({}, tokens, 1 + this.#random.below(MAX_TOKEN_BYTES));
  }

  /** Generates in chunks, each at its own speed. */
  #addBlock(atStart: RunPart["atStart"], tokens: number, tokenBytes: number): void {
    const random = this.#random;
    let left = tokens;
    let start: RunPart["atStart"] = { blocks: 1, ...atStart };
    if (tokens === 0) this.#parts.push({ ms: 0, atStart: start });
    while (left > 0) {
      const chunk = Math.min(left, 20 + random.below(400));
      left -= chunk;
      this.#parts.push({
        ms: Math.ceil((chunk * 1_000) / this.#pickSpeed()),
        atStart: start,
        outputTokens: chunk,
        visibleBytes: chunk * tokenBytes,
      });
      start = {};
    }
  }

  #pickSpeed(): number {
    const random = this.#random;
    const { tokensPerSecond, isTooFast } = this.#bounds;
    const pace = random.chance(0.2) ? 1 : this.#pace * (0.3 + 0.7 * random.next());
    const excess = isTooFast ? 1 + 2 * random.next() : 1;
    return Math.max(1, tokensPerSecond * pace * excess);
  }

  /** A call of the model ends with the use of a tool, and its result is the input of the next call. */
  #addToolUse(type: string): void {
    const random = this.#random;
    const isSearch = type.startsWith("web_search");
    const before = this.#random.chance(0.5) ? random.below(300) : 0;
    this.#addText(before);
    const query = 10 + random.below(60);
    const searches = isSearch ? 1 : 0;
    this.#addBlock({ toolUses: 1, searchUses: searches }, query, 2 + random.below(3));
    const { resultTokens, hasLargeResults, hasFastTools } = this.#bounds;
    const most = hasLargeResults ? resultTokens * 3 : resultTokens;
    const result = random.below(most);
    this.#promptTokens = Math.min(WINDOW_TOKENS, this.#promptTokens + before + query + result);
    const leastMs = this.#isAnnounced ? LEAST_ANNOUNCED_RUN_MS : LEAST_RUN_MS;
    const runMs = leastMs + random.below(4_000);
    this.#parts.push({ ms: hasFastTools ? runMs % FAST_RUN_MS : runMs });
    // The next call begins before its result is sent.
    const atStart = { ...this.#callNext(hasLargeResults), searches };
    this.#parts.push({ ms: random.below(400), atStart });
    const size = isSearch
      ? this.#planPages(result)
      : { resultBytes: result * (1 + random.below(4)) };
    this.#parts.push({ ms: 300 + random.below(1_500), atStart: { results: 1, ...size } });
  }

  /** Prompt tokens of the next call. `isCold`: the cache can have lost all of them. */
  #callNext(isCold: boolean): Pick<Counts, "inputTokens" | "readTokens" | "writtenTokens"> {
    const inputTokens = this.#promptTokens;
    const isLost = isCold && this.#random.chance(0.3);
    const readTokens = isLost ? 0 : Math.min(inputTokens, this.#cachedTokens);
    const writtenTokens = this.#plan.cachesResults ? inputTokens - readTokens : 0;
    if (this.#plan.cachesResults) this.#cachedTokens = inputTokens;
    return { inputTokens, readTokens, writtenTokens };
  }

  /** Pages of a search result with these tokens. Their characters are encrypted. */
  #planPages(tokens: number): Pick<Counts, "resultBytes" | "resultPages"> {
    const random = this.#random;
    const page = this.#bounds.page ?? { frameTokens: 0, charsPerToken: 1 };
    const resultPages = random.below(MAX_PAGES + 1);
    const rest = Math.max(0, tokens - resultPages * page.frameTokens);
    const resultBytes = Math.ceil(rest * page.charsPerToken * (1 + random.next()));
    return { resultBytes, resultPages };
  }
}

/** Median 350 tokens, one in ten beyond 1,400, one in a hundred beyond 4,500. */
function pickAgentLength(random: Random): number {
  const [one, other] = [1 - random.next(), random.next()];
  const normal = Math.sqrt(-2 * Math.log(one)) * Math.cos(2 * Math.PI * other);
  return Math.ceil(350 * Math.exp(1.1 * normal));
}
