import { assert } from "#src/lib/assert.ts";
import { computeHighestCost, TWENTIETHS } from "./exact-cost.ts";
import { type HoldRequest, isFastSpeed } from "./hold-request.ts";
import {
  boundBody,
  boundInput,
  type InputBasis,
  type InputBound,
  tightenInput,
} from "./input-bound.ts";
import {
  limitsOf,
  type ModelLimits,
  type ReportedLimits,
  UNKNOWN_MODEL_LIMITS,
} from "./model-limits.ts";
import { MAX_NANO_USD } from "./money.ts";
import {
  ASSUMED_FALLBACKS,
  findOpenEnd,
  type OpenEnd,
  type OpenEndedReason,
} from "./open-ended.ts";
import { HIGHEST_RATE, type ModelPrices, type PriceBook } from "./price-book.ts";
import { GEO_US_MULTIPLIER, type TokenPrices } from "./price-list.ts";
import { findReach, type RequestReach, type TimeBilledFeature } from "./request-reach.ts";

// Highest cost of a request before it is sent: its hold. The API can bill no usage for a closed request that costs
// more, as `priceUsage` prices it. An open-ended request has no such bound: its number assumes a count of calls.

export type WorstCase = ClosedWorstCase | OpenEndedWorstCase | RefusedWorstCase;

interface Bounded {
  /** Rounded up, and at most the maximum of an int8. */
  nanoUsd: bigint;
  drivers: WorstCaseDrivers;
}

export interface ClosedWorstCase extends Bounded {
  kind: "closed";
}

export interface OpenEndedWorstCase extends Bounded {
  kind: "open_ended";
  reasons: readonly OpenEndedReason[];
}

/**
 * Billed by the hour of a container, without a bound, so a strict limit refuses it. `nanoUsd` covers its tokens only.
 */
export interface RefusedWorstCase extends Bounded {
  kind: "refused";
  reason: TimeBilledFeature;
  reasons: readonly OpenEndedReason[];
}

/** Components of the number, for `explainWorstCase`. */
export interface WorstCaseDrivers {
  /** Model calls that may be billed: 1, fallbacks, loops of server tools. */
  calls: number;
  /** Tokens of all calls together. */
  inputTokens: number;
  inputBasis: InputBasis;
  inputRate: Rate;
  /** Highest price of a prompt token without any cache, of one that is read from it, and of one that is written for 5 minutes. */
  plainRate: Rate;
  readRate: Rate;
  /** `plainRate` if the API writes no cache. */
  writeRate: Rate;
  outputTokens: number;
  outputBasis: OutputBasis;
  outputRate: Rate;
  /** Reason for the US price: the body requests it, an unknown part may, or the upstream's workspace may default to it. */
  geo: "none" | "asked" | "workspace_default" | "unknown_part";
  feesNanoUsd: bigint;
}

/** max_tokens: from the request. model: missing, or above the model's maximum. floor: see MIN_OUTPUT_TOKENS. */
export type OutputBasis = "max_tokens" | "model" | "floor";

/** Highest price that can apply to a token. */
export interface Rate {
  nanoUsdPerMillion: bigint;
  /** Multiplier of the price: 20, or 22 in the US. */
  twentieths: bigint;
  /** Row of the price table. `HIGHEST_RATE` for unpriced models. */
  row: string;
  band: "standard" | "long_prompt" | "fast" | "highest_rate";
  kind: keyof TokenPrices;
}

export interface WorstCaseOptions {
  /** Limits from the upstream's `/v1/models`, by model id. */
  limits?: ReadonlyMap<string, ReportedLimits>;
  /** `default_inference_geo` of the upstream's workspace, if known. Otherwise it may be "us". */
  defaultInferenceGeo?: string;
}

/** `message_start` has a few output tokens, and a stream cut right after it is settled by them. */
const MIN_OUTPUT_TOKENS = 16;
/** Maximum number of models priced singly, more than the API accepts. Beyond it any model is assumed. */
const MAX_PRICED_MODELS = 8;
const US_TWENTIETHS = (TWENTIETHS * GEO_US_MULTIPLIER.numerator) / GEO_US_MULTIPLIER.denominator;

/**
 * Computes the worst case of a request that starts at `atMs`. Pure, and takes microseconds, because it runs before each
 * request.
 *
 * - Input: see `boundInput`. All of it has the highest applicable kind: plain token, cache read, or cache write if the
 *   body requests one. A 1h write may be reported without its TTL and is then priced as 5m, so it includes both.
 * - Output: `max_tokens`, at most the model's maximum, which includes thinking.
 * - Each fallback may be billed in addition to the models that declined before it, and reads their output. Tokens of
 *   all attempts have the highest price of their models, because a response without `iterations` bills its sum at one
 *   model.
 * - A model counts under each of its names and at each reachable band. `speed: "fast"` of a model without a fast price,
 *   and a model without a price, have the highest row.
 * - The US multiplier applies, unless the body or the known default of the upstream's workspace is "global".
 * - Batch and Priority Tier never cost more than standard.
 * - Any model may answer a request with an unknown part, so it has the highest row.
 */
export function computeWorstCost(
  request: HoldRequest,
  book: PriceBook,
  atMs: number,
  options: WorstCaseOptions = {},
): WorstCase {
  return computeWorstCase({ request, book, atMs, options }, null);
}

export interface CountedRequest {
  request: HoldRequest;
  book: PriceBook;
  atMs: number;
  options?: WorstCaseOptions;
  /** `input_tokens` of the upstream's `count_tokens` for exactly this body. */
  countedTokens: number;
}

/**
 * Computes the worst case after `count_tokens`: never above `computeWorstCost`, and lower if the count plus its margin is
 * below the bound by bytes. Open-ended requests do not benefit, because their prompt grows. Neither do fallbacks, whose
 * models may split the text into more tokens, nor a source by URL, which may change before it is fetched.
 */
export function tightenWorstCase(counted: CountedRequest): WorstCase {
  const { request, book, atMs, options = {}, countedTokens } = counted;
  const tokens = isCountable(request, countedTokens) ? countedTokens : null;
  return computeWorstCase({ request, book, atMs, options }, tokens);
}

/** True if a count of `count_tokens` can bound the first prompt of a request. */
export function isCountable({ fallbacks, markers }: HoldRequest, countedTokens: number): boolean {
  const isCount = Number.isSafeInteger(countedTokens) && countedTokens >= 0;
  return isCount && fallbacks.models.length === 0 && !markers.hasUrlSource;
}

/**
 * Returns the amount that one limit must hold for a request. `openEndedNanoUsd` is the limit's own amount for
 * open-ended requests. That amount replaces a larger number, never a smaller one. Null: the request cannot be held, and a strict
 * limit refuses it.
 */
export function holdUnderLimit(
  worstCase: Pick<WorstCase, "kind" | "nanoUsd">,
  openEndedNanoUsd: bigint | null,
): bigint | null {
  switch (worstCase.kind) {
    case "refused":
      return null;
    case "closed":
      return worstCase.nanoUsd;
    case "open_ended": {
      const isChosen = openEndedNanoUsd !== null && openEndedNanoUsd < worstCase.nanoUsd;
      return isChosen ? openEndedNanoUsd : worstCase.nanoUsd;
    }
  }
}

/** Most tokens of one call of the requested model, as the body shows them. */
export interface CallBound {
  inputTokens: number;
  outputTokens: number;
}

/**
 * Bounds one call of the requested model. This is no bound for sources that the body does not contain, such as a file id:
 * they count as their bytes in the body.
 */
export function boundCall(request: HoldRequest, options: WorstCaseOptions = {}): CallBound {
  const limits = limitsOf(request.model, options.limits);
  return {
    inputTokens: boundBody(request, limits).tokens,
    outputTokens: boundOutput(request, limits).tokens,
  };
}

interface Question {
  request: HoldRequest;
  book: PriceBook;
  atMs: number;
  options: WorstCaseOptions;
}

function computeWorstCase(question: Question, countedTokens: number | null): WorstCase {
  const { request, options } = question;
  const reach = findReach(request);
  const openEnd = findOpenEnd(request, reach);
  const models = findModels(request, reach);
  const limits = findWidestLimits(models, options);
  const calls = { attempts: models.attempts, openEnd };
  const tokens = boundTokens(request, limits, calls, countedTokens);
  const geo = findGeo(request, options);
  const rates = findRates(question, {
    models,
    promptTokens: tokens.inputTokens,
    fastMode: limits.fastMode,
    canBeUs: geo !== "none",
    canWriteAnyCache: openEnd?.canWriteCache ?? false,
  });
  const feesNanoUsd = openEnd?.feesNanoUsd ?? 0n;
  const total = computeHighestCost(tokens, rates) + feesNanoUsd;
  const nanoUsd = total < MAX_NANO_USD ? total : MAX_NANO_USD;
  // Runs twice for each request, and a spread takes more memory.
  const drivers: WorstCaseDrivers = {
    calls: tokens.calls,
    inputTokens: tokens.inputTokens,
    inputBasis: tokens.inputBasis,
    inputRate: rates.inputRate,
    plainRate: rates.plainRate,
    readRate: rates.readRate,
    writeRate: rates.writeRate,
    outputTokens: tokens.outputTokens,
    outputBasis: tokens.outputBasis,
    outputRate: rates.outputRate,
    geo,
    feesNanoUsd,
  };
  if (!openEnd) return { kind: "closed", nanoUsd, drivers };
  const { reasons } = openEnd;
  const { timeBilled } = reach;
  // An unknown part is held: a limit can refuse it by its setting.
  if (timeBilled !== null && timeBilled !== "unknown") {
    return { kind: "refused", nanoUsd, drivers, reason: timeBilled, reasons };
  }
  return { kind: "open_ended", nanoUsd, drivers, reasons };
}

interface Models {
  names: readonly string[];
  /** True if a model outside the list may respond. */
  hasOther: boolean;
  /** Responses of models one after another. Server tools multiply them. */
  attempts: number;
}

function findModels({ fallbacks }: HoldRequest, { models, isAnyModel }: RequestReach): Models {
  const attempts =
    1 + fallbacks.models.length + (fallbacks.hasUnknownModel ? ASSUMED_FALLBACKS : 0);
  if (models.length === 1) return { names: models, hasOther: isAnyModel, attempts };
  const beyond = fallbacks.models.length - MAX_PRICED_MODELS;
  if (beyond <= 0) return { names: [...new Set(models)], hasOther: isAnyModel, attempts };
  const priced = models.toSpliced(1 + MAX_PRICED_MODELS, beyond);
  return { names: [...new Set(priced)], hasOther: true, attempts };
}

function findWidestLimits({ names, hasOther }: Models, options: WorstCaseOptions): ModelLimits {
  let widest: ModelLimits | null = hasOther ? UNKNOWN_MODEL_LIMITS : null;
  for (const name of names) {
    const limits = limitsOf(name, options.limits);
    widest = widest === null ? limits : widenLimits(widest, limits);
  }
  return widest ?? UNKNOWN_MODEL_LIMITS;
}

function widenLimits(a: ModelLimits, b: ModelLimits): ModelLimits {
  return {
    contextTokens: Math.max(a.contextTokens, b.contextTokens),
    maxOutputTokens: Math.max(a.maxOutputTokens, b.maxOutputTokens),
    imageTokens: Math.max(a.imageTokens, b.imageTokens),
    // A response states its speed once: if one of the models may be fast, all are priced as fast.
    fastMode: "unknown",
  };
}

type Tokens = Pick<
  WorstCaseDrivers,
  "calls" | "inputTokens" | "inputBasis" | "outputTokens" | "outputBasis"
>;

function boundTokens(
  request: HoldRequest,
  limits: ModelLimits,
  calls: { attempts: number; openEnd: OpenEnd | null },
  countedTokens: number | null,
): Tokens {
  const { attempts, openEnd } = calls;
  if (openEnd?.isPromptOpen) {
    const all = attempts * openEnd.calls;
    return {
      calls: all,
      inputTokens: all * limits.contextTokens,
      inputBasis: "window",
      outputTokens: all * limits.maxOutputTokens,
      outputBasis: "model",
    };
  }
  const bound = boundInput(request, limits);
  const input = countedTokens === null ? bound : tightenInput(bound, countedTokens);
  const output = boundOutput(request, limits);
  return {
    calls: attempts,
    inputTokens: sumOfPrompts(input, output.tokens, attempts, limits.contextTokens),
    inputBasis: input.basis,
    outputTokens: attempts * output.tokens,
    outputBasis: output.basis,
  };
}

function boundOutput(
  { maxTokens, fallbacks }: HoldRequest,
  { maxOutputTokens }: ModelLimits,
): { tokens: number; basis: OutputBasis } {
  const asked = maxTokens === null ? null : Math.max(maxTokens, fallbacks.maxTokens ?? 0);
  if (asked === null || asked > maxOutputTokens) return { tokens: maxOutputTokens, basis: "model" };
  if (asked < MIN_OUTPUT_TOKENS) return { tokens: MIN_OUTPUT_TOKENS, basis: "floor" };
  return { tokens: asked, basis: "max_tokens" };
}

/** Each attempt reads the prompt and the output of earlier attempts, up to the context window. */
function sumOfPrompts(
  input: InputBound,
  outputTokens: number,
  attempts: number,
  contextTokens: number,
): number {
  let sum = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const prompt = input.tokens + attempt * outputTokens;
    if (prompt >= contextTokens) return sum + (attempts - attempt) * contextTokens;
    sum += prompt;
  }
  return sum;
}

function findGeo(request: HoldRequest, options: WorstCaseOptions): WorstCaseDrivers["geo"] {
  if (request.unknownParts.length > 0) return "unknown_part";
  if (request.inferenceGeo !== null) return request.inferenceGeo === "global" ? "none" : "asked";
  return options.defaultInferenceGeo === "global" ? "none" : "workspace_default";
}

interface HighestRates {
  input: Rate | null;
  plain: Rate | null;
  read: Rate | null;
  write: Rate | null;
  output: Rate | null;
}

interface RateQuestion {
  models: Models;
  /** Tokens of all calls together, because a response may report them as one. */
  promptTokens: number;
  fastMode: ModelLimits["fastMode"];
  canBeUs: boolean;
  canWriteAnyCache: boolean;
}

type Rates = Pick<
  WorstCaseDrivers,
  "inputRate" | "plainRate" | "readRate" | "writeRate" | "outputRate"
>;

/** Rates by the rows of one model, at most two for each list of kinds. Nearly all requests share a few of them. */
const knownRates = new WeakMap<readonly ModelPrices[], Map<InputKinds, Rates>>();
const knownUsRates = new WeakMap<readonly ModelPrices[], Map<InputKinds, Rates>>();

/** Finds the highest rates. The cache has rates of one model, unless the prompt is long or fast mode is possible. */
function findRates(asked: Question, question: RateQuestion): Rates {
  const { request, book, atMs } = asked;
  const { models, promptTokens, canBeUs } = question;
  const canBeFast = isFastPossible(request, question.fastMode);
  const kinds = inputKinds(request, question.canWriteAnyCache);
  const [name] = models.names;
  const choose = () => chooseRates(asked, { ...question, canBeFast, kinds });
  if (name === undefined || models.names.length > 1 || models.hasOther || canBeFast)
    return choose();
  const rows = book.findReachable(name, atMs);
  if (rows.some((row) => isLongPrompt(row, promptTokens))) return choose();
  const cache = canBeUs ? knownUsRates : knownRates;
  const byKinds = cache.get(rows) ?? new Map<InputKinds, Rates>();
  cache.set(rows, byKinds);
  const known = byKinds.get(kinds) ?? choose();
  byKinds.set(kinds, known);
  return known;
}

function isFastPossible(request: HoldRequest, fastMode: ModelLimits["fastMode"]): boolean {
  const isAsked = isFastSpeed(request.speed) || request.fallbacks.hasFastSpeed;
  return isAsked && fastMode !== "standard" && fastMode !== "refused";
}

function isLongPrompt({ longPrompt }: ModelPrices, promptTokens: number): boolean {
  return longPrompt !== null && promptTokens > longPrompt.overPromptTokens;
}

function chooseRates(
  { book, atMs }: Question,
  question: RateQuestion & { canBeFast: boolean; kinds: InputKinds },
): Rates {
  const { models, canBeFast, kinds } = question;
  const found: HighestRates = { input: null, plain: null, read: null, write: null, output: null };
  const write = kinds.includes("cacheWrite5m") ? "cacheWrite5m" : "input";
  const consider = (row: ModelPrices, band: Rate["band"], prices: TokenPrices) => {
    const twentieths = question.canBeUs && row.isGeoPriced ? US_TWENTIETHS : TWENTIETHS;
    const pick = (best: Rate | null, kind: keyof TokenPrices) =>
      pickHigherRate(best, prices[kind], { twentieths, row: row.row, band, kind });
    for (const kind of kinds) found.input = pick(found.input, kind);
    found.plain = pick(found.plain, "input");
    found.read = pick(found.read, "cacheRead");
    found.write = pick(found.write, write);
    found.output = pick(found.output, "output");
  };
  const considerHighest = () => {
    const row = book.findHighest(atMs);
    consider(row, "highest_rate", row.standard);
  };
  for (const name of models.names) {
    for (const row of book.findReachable(name, atMs)) {
      consider(row, row.source === HIGHEST_RATE ? "highest_rate" : "standard", row.standard);
      if (row.longPrompt !== null && isLongPrompt(row, question.promptTokens)) {
        consider(row, "long_prompt", row.longPrompt.prices);
      }
      if (canBeFast && row.fast) consider(row, "fast", row.fast);
      if (canBeFast && !row.fast) considerHighest();
    }
  }
  if (models.hasOther) considerHighest();
  assert(isComplete(found), "unpriced models have the highest rate");
  const { input: inputRate, plain: plainRate, read: readRate, output: outputRate } = found;
  return { inputRate, plainRate, readRate, writeRate: found.write, outputRate };
}

function isComplete(found: HighestRates): found is { [name in keyof HighestRates]: Rate } {
  const { input, plain, read, write, output } = found;
  return input !== null && plain !== null && read !== null && write !== null && output !== null;
}

type InputKinds = readonly (keyof TokenPrices)[];

/** A listed cache read costs a tenth of an input token, but an override can have any price. */
const READ_KINDS: InputKinds = ["input", "cacheRead"];
const WRITE_5M_KINDS: InputKinds = [...READ_KINDS, "cacheWrite5m"];
const ALL_KINDS: InputKinds = [...WRITE_5M_KINDS, "cacheWrite1h"];

function inputKinds(request: HoldRequest, canWriteAnyCache: boolean): InputKinds {
  const { hasCacheControl5m, hasCacheControl1h } = request.markers;
  if (hasCacheControl1h || canWriteAnyCache) return ALL_KINDS;
  return hasCacheControl5m ? WRITE_5M_KINDS : READ_KINDS;
}

function pickHigherRate(
  best: Rate | null,
  nanoUsdPerMillion: bigint,
  rest: Omit<Rate, "nanoUsdPerMillion">,
): Rate {
  const isDearer =
    best === null || nanoUsdPerMillion * rest.twentieths > best.nanoUsdPerMillion * best.twentieths;
  return isDearer ? { nanoUsdPerMillion, ...rest } : best;
}
