import { billedMeasures, toRecord } from "@bursar/contract/usage-shape.ts";
import {
  type BilledUsage,
  type CountGroup,
  noTokens,
  type TokenUsage,
  type UnknownCounts,
  type UsageIteration,
} from "./usage.ts";

// Reads the `usage` of a response and of its stream. No function here throws or returns NaN, because a metered request
// must end in a record for any response of the upstream.

/** A higher count is an error. With MAX_PRICE_NANO_USD, the limit also keeps every cost within an int8. */
export const MAX_TOKENS = 1_000_000_000;
/** Further model calls of a response are added to the last one. */
export const MAX_ITERATIONS = 128;

const MAX_NAME_CHARS = 256;

/** Fields of a message, a usage, an iteration, or their contents. None of them is trusted. */
interface Fields {
  type?: unknown;
  model?: unknown;
  usage?: unknown;
  input_tokens?: unknown;
  output_tokens?: unknown;
  cache_creation_input_tokens?: unknown;
  cache_read_input_tokens?: unknown;
  cache_creation?: unknown;
  ephemeral_5m_input_tokens?: unknown;
  ephemeral_1h_input_tokens?: unknown;
  server_tool_use?: unknown;
  web_search_requests?: unknown;
  service_tier?: unknown;
  inference_geo?: unknown;
  speed?: unknown;
  iterations?: unknown;
}

/**
 * Reads the usage of a complete message: a JSON response, `message_start.message`, or `message` of a batch result line.
 * A response without a model is billed as `requestedModel`. Null: the message has no counts.
 */
export function readMessageUsage(message: unknown, requestedModel = ""): BilledUsage | null {
  const fields = asFields(message);
  const usage = asFields(fields?.usage);
  if (!fields || !usage) return null;
  const reader = makeReader();
  const total = readTokens(reader, usage, null);
  if (reader.counts === 0 && reader.invalid === null) return null;
  const iterations = readIterations(reader, usage.iterations);
  const unknownCounts = findUnknownCounts(reader, usage, NOTHING_KNOWN);
  return addIterations(
    {
      model: readName(fields.model) ?? requestedModel,
      total,
      iterations: null,
      serviceTier: readName(usage.service_tier),
      inferenceGeo: readName(usage.inference_geo),
      speed: readName(usage.speed),
      ...(unknownCounts && { unknownCounts }),
    },
    iterations,
    reader.isDoubtful,
  );
}

/**
 * Returns the usage after a `message_delta`, whose `usage` is cumulative for the whole message. Its fields replace
 * known values. Missing and null fields change nothing. Tier, geo, speed and the cache TTL split exist only at the
 * start.
 */
export function applyMessageDelta(current: BilledUsage, deltaUsage: unknown): BilledUsage {
  const usage = asFields(deltaUsage);
  if (!usage) return current;
  const reader = makeReader();
  const total = readTokens(reader, usage, current.topLevel ?? current.total);
  const iterations = readIterations(reader, usage.iterations) ?? current.iterations;
  const isDoubtful = reader.isDoubtful || current.isDoubtful === true;
  const { unknownCounts: before, ...known } = current;
  const unknownCounts = findUnknownCounts(reader, usage, before ?? {});
  const merged = { ...known, total, ...(unknownCounts && { unknownCounts }) };
  return addIterations(merged, iterations, isDoubtful);
}

/**
 * Raises the usage of a cut-off response to the seen output and searches, if it reported less. The estimate also
 * reaches the price by iterations.
 */
export function raiseUsage(
  current: BilledUsage,
  seen: { outputTokens: number; webSearches: number },
): BilledUsage {
  const known = current.topLevel ?? current.total;
  const isMoreOutput = seen.outputTokens > known.outputTokens;
  if (!isMoreOutput && seen.webSearches <= known.webSearches) return current;
  const total = {
    ...known,
    webSearches: Math.max(known.webSearches, seen.webSearches),
    ...(isMoreOutput && { outputTokens: Math.min(Math.ceil(seen.outputTokens), MAX_TOKENS) }),
  };
  return addIterations({ ...current, total }, current.iterations, current.isDoubtful === true);
}

export function promptTokens(usage: TokenUsage): number {
  return (
    usage.inputTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens + usage.cacheReadTokens
  );
}

/** Dimensions with the names of the official reports. Other names become "other", to limit the number of labels. */
export function toDimensions(usage: BilledUsage): {
  serviceTier: string;
  inferenceGeo: string;
  speed: string;
} {
  return {
    serviceTier: toKnownName(serviceTiers, usage.serviceTier, "standard"),
    inferenceGeo: toKnownName(inferenceGeos, usage.inferenceGeo, "not_available"),
    speed: toKnownName(speeds, usage.speed, "standard"),
  };
}

const serviceTiers = [
  "standard",
  "priority",
  "batch",
  "flex",
  "flex_discount",
  "priority_on_demand",
];
const inferenceGeos = ["global", "us", "not_available"];
const speeds = ["standard", "fast"];

function toKnownName(names: readonly string[], name: string | null, absent: string): string {
  if (name === null) return absent;
  return names.includes(name) ? name : "other";
}

/** State of one pass over a `usage`. */
interface Reader {
  /** Number of valid counts. */
  counts: number;
  isDoubtful: boolean;
  /** Groups with an invalid count. Null: none. */
  invalid: Partial<Record<CountGroup, "invalid">> | null;
}

function makeReader(): Reader {
  return { counts: 0, isDoubtful: false, invalid: null };
}

/** A message must report its prompt and its output. */
const NOTHING_KNOWN: UnknownCounts = { input: "missing", output: "missing" };

/** Finds the counts without a usable number after one pass. `before`: those of earlier events. Null: none. */
function findUnknownCounts(
  { invalid }: Reader,
  usage: Fields,
  before: UnknownCounts,
): UnknownCounts | null {
  const { input, output, searches } = before;
  const unknown: UnknownCounts = {
    ...(input && !isCount(usage.input_tokens) && { input }),
    ...(output && !isCount(usage.output_tokens) && { output }),
    ...(searches && !isCount(asFields(usage.server_tool_use)?.web_search_requests) && { searches }),
    ...invalid,
  };
  return Object.keys(unknown).length === 0 ? null : unknown;
}

/** Reads the tokens of `usage`. Missing fields keep the values of `known`. */
function readTokens(reader: Reader, usage: Fields, known: TokenUsage | null): TokenUsage {
  const before = known ?? noTokens;
  const writes = readCacheWrites(reader, usage, before);
  const serverTools = asFields(usage.server_tool_use);
  return {
    inputTokens: readCount(reader, "input", usage.input_tokens) ?? before.inputTokens,
    cacheWrite5mTokens: writes.cacheWrite5mTokens,
    cacheWrite1hTokens: writes.cacheWrite1hTokens,
    cacheReadTokens:
      readCount(reader, "input", usage.cache_read_input_tokens) ?? before.cacheReadTokens,
    outputTokens: readCount(reader, "output", usage.output_tokens) ?? before.outputTokens,
    webSearches:
      readCount(reader, "searches", serverTools?.web_search_requests) ?? before.webSearches,
  };
}

/**
 * Reads cache writes by TTL. The breakdown determines the price. The rest of the total beyond the breakdown, or beyond
 * the known split, counts as 5m, the default TTL.
 */
function readCacheWrites(
  reader: Reader,
  usage: Fields,
  before: TokenUsage,
): Pick<TokenUsage, "cacheWrite5mTokens" | "cacheWrite1hTokens"> {
  const total = readCount(reader, "input", usage.cache_creation_input_tokens);
  const split = asFields(usage.cache_creation);
  const split5m = readCount(reader, "input", split?.ephemeral_5m_input_tokens);
  const split1h = readCount(reader, "input", split?.ephemeral_1h_input_tokens);
  if (split5m !== null || split1h !== null) {
    const cacheWrite1hTokens = split1h ?? 0;
    const rest = (total ?? 0) - cacheWrite1hTokens;
    return { cacheWrite5mTokens: Math.max(split5m ?? 0, rest), cacheWrite1hTokens };
  }
  if (total === null) {
    const { cacheWrite5mTokens, cacheWrite1hTokens } = before;
    return { cacheWrite5mTokens, cacheWrite1hTokens };
  }
  const cacheWrite1hTokens = Math.min(before.cacheWrite1hTokens, total);
  return { cacheWrite5mTokens: total - cacheWrite1hTokens, cacheWrite1hTokens };
}

/** Model calls of the response. Null: not listed. */
function readIterations(reader: Reader, value: unknown): UsageIteration[] | null {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value)) {
    reader.isDoubtful = true;
    return null;
  }
  const iterations: UsageIteration[] = [];
  for (const item of value) {
    const fields = asFields(item);
    if (!fields) {
      reader.isDoubtful = true;
      continue;
    }
    const usage = { ...readTokens(reader, fields, null), webSearches: 0 };
    const last = iterations.at(-1);
    if (last && iterations.length === MAX_ITERATIONS) {
      last.usage = addTokens(last.usage, usage);
      reader.isDoubtful = true;
      continue;
    }
    const isCompaction = fields.type === "compaction";
    iterations.push({ model: readName(fields.model), usage, isCompaction });
  }
  return iterations.length > 0 ? iterations : null;
}

/**
 * Adds iterations. The argument's `usage.total` has the response's own totals, the result's has the sum of the
 * iterations.
 */
function addIterations(
  usage: BilledUsage,
  iterations: readonly UsageIteration[] | null,
  isDoubtful: boolean,
): BilledUsage {
  // The usual case, in which nothing is copied.
  const isPlain = usage.topLevel === undefined && usage.iterations === null;
  if (!iterations && !isDoubtful && isPlain && usage.isDoubtful === undefined) return usage;
  const mark = isDoubtful ? { isDoubtful } : {};
  const { topLevel: _, ...plain } = usage;
  if (!iterations) return { ...plain, iterations: null, ...mark };
  const topLevel = usage.total;
  const covering = coverTotals(iterations, topLevel);
  const total = { ...sumTokens(covering), webSearches: topLevel.webSearches };
  return { ...plain, total, iterations: covering, topLevel, ...mark };
}

/**
 * Completes iterations so that they include all tokens of the response's own totals, which exclude compaction. Missing
 * tokens are added to the last other call, because a stream's list may be older than its totals. Missing 1h cache
 * writes are moved from the calls' 5m writes, because a list may lack the split by TTL. So an incomplete list never
 * lowers the cost.
 */
function coverTotals(
  iterations: readonly UsageIteration[],
  topLevel: TokenUsage,
): readonly UsageIteration[] {
  const covering = iterations.map((iteration) => ({ ...iteration }));
  const inside = covering.filter((iteration) => iteration.isCompaction !== true);
  const sum = sumTokens(inside);
  const missing = findMissingTokens(topLevel, sum);
  if (promptTokens(missing) + missing.outputTokens > 0) {
    const last = inside.at(-1);
    if (last) last.usage = addTokens(last.usage, missing);
    else covering.push({ model: null, usage: missing, isCompaction: false });
  }
  let missing1h = topLevel.cacheWrite1hTokens - sum.cacheWrite1hTokens - missing.cacheWrite1hTokens;
  for (const iteration of inside) {
    const moved = Math.min(Math.max(missing1h, 0), iteration.usage.cacheWrite5mTokens);
    missing1h -= moved;
    iteration.usage = {
      ...iteration.usage,
      cacheWrite5mTokens: iteration.usage.cacheWrite5mTokens - moved,
      cacheWrite1hTokens: iteration.usage.cacheWrite1hTokens + moved,
    };
  }
  return covering;
}

/** Tokens of `whole` beyond `part`. Cache writes are compared as a sum, because the list may lack the split by TTL. */
function findMissingTokens(whole: TokenUsage, part: TokenUsage): TokenUsage {
  const beyond = (a: number, b: number) => Math.max(0, a - b);
  const writes = beyond(
    whole.cacheWrite5mTokens + whole.cacheWrite1hTokens,
    part.cacheWrite5mTokens + part.cacheWrite1hTokens,
  );
  const writes1h = Math.min(writes, beyond(whole.cacheWrite1hTokens, part.cacheWrite1hTokens));
  return {
    inputTokens: beyond(whole.inputTokens, part.inputTokens),
    cacheWrite5mTokens: writes - writes1h,
    cacheWrite1hTokens: writes1h,
    cacheReadTokens: beyond(whole.cacheReadTokens, part.cacheReadTokens),
    outputTokens: beyond(whole.outputTokens, part.outputTokens),
    webSearches: 0,
  };
}

function sumTokens(iterations: readonly UsageIteration[]): TokenUsage {
  return iterations.map((iteration) => iteration.usage).reduce(addTokens, noTokens);
}

function addTokens(a: TokenUsage, b: TokenUsage): TokenUsage {
  return toRecord(billedMeasures, "name", ({ name }) => a[name] + b[name]);
}

/**
 * Reads a count. Null: missing. A fraction is rounded up. A negative value, another type, or a value above MAX_TOKENS
 * counts as missing, and makes its group unknown. Each of these marks the usage as doubtful.
 */
function readCount(reader: Reader, group: CountGroup, value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (!isCount(value)) {
    reader.isDoubtful = true;
    reader.invalid = { ...reader.invalid, [group]: "invalid" };
    return null;
  }
  reader.counts += 1;
  if (Number.isInteger(value)) return value + 0;
  reader.isDoubtful = true;
  return Math.ceil(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= MAX_TOKENS;
}

function readName(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.slice(0, MAX_NAME_CHARS) : null;
}

function asFields(value: unknown): Fields | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : null;
}
