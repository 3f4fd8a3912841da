import { billedMeasures, toRecord } from "@bursar/contract/usage-shape.ts";
import { type BilledUsage, noTokens, type TokenUsage, type UsageIteration } from "./usage.ts";

// Reads the `usage` of a response and of its stream. No function here throws or returns NaN, because a metered request
// must end in a record for any response of the upstream.

/** Above it a count is a lie or a bug; with MAX_PRICE_NANO_USD it also keeps every cost inside an int8. */
export const MAX_TOKENS = 1_000_000_000;
/** More model calls than that in one response are summed into the last one. */
export const MAX_ITERATIONS = 128;

const MAX_NAME_CHARS = 256;

/** The fields that are read, of a message, a usage, an iteration, or what stands in them. All of them are doubted. */
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
 * Usage of a complete message: a JSON answer, `message_start.message` or `message` of a batch result line.
 * `requestedModel` is billed where the response names no model. Null where the message carries no usage at all.
 */
export function usageFromMessage(message: unknown, requestedModel = ""): BilledUsage | null {
  const fields = asFields(message);
  const usage = asFields(fields?.usage);
  if (!fields || !usage) return null;
  const reader = makeReader();
  const total = readTokens(reader, usage, null);
  if (reader.counts === 0) return null;
  return withIterations(
    {
      model: readName(fields.model) ?? requestedModel,
      total,
      iterations: null,
      serviceTier: readName(usage.service_tier),
      inferenceGeo: readName(usage.inference_geo),
      speed: readName(usage.speed),
    },
    readIterations(reader, usage.iterations),
    reader.isDoubtful,
  );
}

/**
 * Usage after a `message_delta`, whose `usage` is cumulative for the whole message: what it names replaces what was
 * known, what it leaves out or sets to null stays. Tier, geo, speed and the cache TTL split exist only at the start.
 */
export function applyMessageDelta(current: BilledUsage, deltaUsage: unknown): BilledUsage {
  const usage = asFields(deltaUsage);
  if (!usage) return current;
  const reader = makeReader();
  const total = readTokens(reader, usage, current.topLevel ?? current.total);
  const iterations = readIterations(reader, usage.iterations) ?? current.iterations;
  const isDoubtful = reader.isDoubtful || current.isDoubtful === true;
  return withIterations({ ...current, total }, iterations, isDoubtful);
}

/**
 * Usage of an answer that was cut: output and searches raised to what was seen where less was reported so far, so that
 * an estimate made from the bytes seen reaches the price by iterations as well.
 */
export function withAtLeast(
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
  return withIterations({ ...current, total }, current.iterations, current.isDoubtful === true);
}

export function promptTokens(usage: TokenUsage): number {
  return (
    usage.inputTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens + usage.cacheReadTokens
  );
}

/** Names of the official reports; one that is not among them is reported as "other", so that labels stay few. */
export function usageDimensions(usage: BilledUsage): {
  serviceTier: string;
  inferenceGeo: string;
  speed: string;
} {
  return {
    serviceTier: oneOf(serviceTiers, usage.serviceTier, "standard"),
    inferenceGeo: oneOf(inferenceGeos, usage.inferenceGeo, "not_available"),
    speed: oneOf(speeds, usage.speed, "standard"),
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

function oneOf(names: readonly string[], name: string | null, absent: string): string {
  if (name === null) return absent;
  return names.includes(name) ? name : "other";
}

/** One pass over one `usage`: how many counts it held, and whether one of them was no count. */
interface Reader {
  counts: number;
  isDoubtful: boolean;
}

function makeReader(): Reader {
  return { counts: 0, isDoubtful: false };
}

/** Tokens of `usage` over `known`, the numbers that hold for what `usage` does not name. */
function readTokens(reader: Reader, usage: Fields, known: TokenUsage | null): TokenUsage {
  const before = known ?? noTokens;
  const writes = readCacheWrites(reader, usage, before);
  const serverTools = asFields(usage.server_tool_use);
  return {
    inputTokens: readCount(reader, usage.input_tokens) ?? before.inputTokens,
    cacheWrite5mTokens: writes.cacheWrite5mTokens,
    cacheWrite1hTokens: writes.cacheWrite1hTokens,
    cacheReadTokens: readCount(reader, usage.cache_read_input_tokens) ?? before.cacheReadTokens,
    outputTokens: readCount(reader, usage.output_tokens) ?? before.outputTokens,
    webSearches: readCount(reader, serverTools?.web_search_requests) ?? before.webSearches,
  };
}

/**
 * Cache writes by TTL. The breakdown says how they are priced; what the total has beyond it, or beyond the split known
 * so far, counts as 5m, the default TTL.
 */
function readCacheWrites(
  reader: Reader,
  usage: Fields,
  before: TokenUsage,
): Pick<TokenUsage, "cacheWrite5mTokens" | "cacheWrite1hTokens"> {
  const total = readCount(reader, usage.cache_creation_input_tokens);
  const split = asFields(usage.cache_creation);
  const split5m = readCount(reader, split?.ephemeral_5m_input_tokens);
  const split1h = readCount(reader, split?.ephemeral_1h_input_tokens);
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

/** The model calls of the response, or null where it lists none. */
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

/** `usage.total` holds the response's own totals here, and the sum of the iterations in what is returned. */
function withIterations(
  usage: BilledUsage,
  iterations: readonly UsageIteration[] | null,
  isDoubtful: boolean,
): BilledUsage {
  // As nearly all answers are, and then there is nothing to copy.
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
 * Iterations that account for every token of the response's own totals. Compaction stands outside of those; whatever
 * the totals have beyond the other calls (a stream's list may be older than its totals) is added to the last of them,
 * and 1h cache writes that the calls lack (a list may come without the split by TTL) are moved over from their 5m
 * writes, so that a short list can never make a request cheaper.
 */
function coverTotals(
  iterations: readonly UsageIteration[],
  topLevel: TokenUsage,
): readonly UsageIteration[] {
  const covering = iterations.map((iteration) => ({ ...iteration }));
  const inside = covering.filter((iteration) => iteration.isCompaction !== true);
  const sum = sumTokens(inside);
  const missing = missingTokens(topLevel, sum);
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

/** What `whole` has beyond `part`. Cache writes are compared as one: the list may lack the split by TTL. */
function missingTokens(whole: TokenUsage, part: TokenUsage): TokenUsage {
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
 * A count, or null where there is none. A fraction is rounded up; what is negative, no number, or above MAX_TOKENS
 * counts as absent. Each of these marks the usage as doubtful.
 */
function readCount(reader: Reader, value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "number" || !(value >= 0 && value <= MAX_TOKENS)) {
    reader.isDoubtful = true;
    return null;
  }
  reader.counts += 1;
  if (Number.isInteger(value)) return value + 0;
  reader.isDoubtful = true;
  return Math.ceil(value);
}

function readName(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.slice(0, MAX_NAME_CHARS) : null;
}

function asFields(value: unknown): Fields | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : null;
}
