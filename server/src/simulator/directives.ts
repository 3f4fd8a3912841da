// A model name with the prefix `simulate-` makes the simulator fail or report a certain usage. Any client that can
// choose a model can use such a name. The guide `docs/guides/simulator.md` lists the words.

/** Directives of a `simulate-…` model name. Times in milliseconds. Null or false: not set. */
export interface Directives {
  /** Model in the response, which therefore determines the price. */
  model: string;
  /** Delay before the response. */
  slowMs: number;
  /** Delay before each event of a stream. */
  paceMs: number;
  errorStatus: number | null;
  /** Number of stream events before the response is cut, becomes silent, or sends an error event. */
  cutAfter: number | null;
  isCutInsideEvent: boolean;
  hangAfter: number | null;
  breakAfter: number | null;
  isRefusal: boolean;
  /** In a batch: the line expires. */
  isExpired: boolean;
  /** In a batch: the line succeeds although the batch is canceled. */
  isUncancelable: boolean;
  /** Length of the text in words. Each word is one token. */
  words: number | null;
  usage: UsageOverrides;
}

/** Values that replace the simulator's own in the reported usage. */
interface UsageOverrides {
  input?: number;
  output?: number;
  cacheRead?: number;
  cacheWrite5m?: number;
  cacheWrite1h?: number;
  webSearches?: number;
  thinking?: number;
  serviceTier?: "standard" | "priority" | "batch";
  inferenceGeo?: string;
  speed?: "standard" | "fast";
}

const DEFAULT_SIMULATED_MODEL = "claude-sonnet-5";

const PREFIX = "simulate-";
const MAX_MS = 600_000;
const MAX_TOKENS = 100_000_000;
const MAX_WORDS = 200_000;
const MAX_EVENTS = 1_000_000;

/** Word with a number after a dash, such as `slow-200`. Without a fallback the number is required. */
interface NumberedWord {
  min?: number;
  max: number;
  fallback?: number;
  set(value: number): Partial<Directives>;
}

const numbered: Record<string, NumberedWord> = {
  slow: { max: MAX_MS, set: (slowMs) => ({ slowMs }) },
  pace: { max: MAX_MS, set: (paceMs) => ({ paceMs }) },
  error: { min: 400, max: 599, set: (errorStatus) => ({ errorStatus }) },
  cut: { max: MAX_EVENTS, fallback: 0, set: (cutAfter) => ({ cutAfter }) },
  tear: { max: MAX_EVENTS, fallback: 0, set: (cutAfter) => ({ cutAfter, isCutInsideEvent: true }) },
  hang: { max: MAX_EVENTS, fallback: 0, set: (hangAfter) => ({ hangAfter }) },
  break: { max: MAX_EVENTS, fallback: 1, set: (breakAfter) => ({ breakAfter }) },
  words: { max: MAX_WORDS, set: (words) => ({ words }) },
};

/** More output tokens than any request can have. */
const IMPOSSIBLE_TOKENS = 2_000_000_000;

/** Words without a number. */
const plain: Record<string, Partial<Directives>> = {
  overloaded: { errorStatus: 529 },
  refuse: { isRefusal: true },
  expire: { isExpired: true },
  finish: { isUncancelable: true },
};

/** Words about the reported usage. `usage` only introduces the others. */
const usageWords: Record<string, UsageOverrides> = {
  usage: {},
  impossible: { output: IMPOSSIBLE_TOKENS },
  us: { inferenceGeo: "us" },
  fast: { speed: "fast" },
  batch: { serviceTier: "batch" },
  priority: { serviceTier: "priority" },
};

/** Counts of the reported usage, without a dash: `in1000`. */
const counts: Record<string, keyof UsageOverrides> = {
  in: "input",
  out: "output",
  read: "cacheRead",
  write5m: "cacheWrite5m",
  write1h: "cacheWrite1h",
  search: "webSearches",
  think: "thinking",
};
const countPattern = /^(in|out|read|write5m|write1h|search|think)(\d{1,9})$/;

/** Reads directives. Null for an ordinary model name, `{ unknown }` for an unknown word. */
export function readDirectives(model: string): Directives | { unknown: string } | null {
  if (!model.startsWith(PREFIX)) return null;
  const directives: Directives = {
    model: DEFAULT_SIMULATED_MODEL,
    slowMs: 0,
    paceMs: 0,
    errorStatus: null,
    cutAfter: null,
    isCutInsideEvent: false,
    hangAfter: null,
    breakAfter: null,
    isRefusal: false,
    isExpired: false,
    isUncancelable: false,
    words: null,
    usage: {},
  };
  const words = model.slice(PREFIX.length).split("-");
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "as" && i + 1 < words.length) {
      directives.model = words.slice(i + 1).join("-"); // a model name contains dashes, so it takes the rest
      return directives;
    }
    const rule = lookUpOwn(numbered, word);
    if (rule) {
      const value = readNumber(words[i + 1], rule.min ?? 0, rule.max);
      if (value !== null) i++;
      const used = value ?? rule.fallback;
      if (used === undefined) return { unknown: word };
      Object.assign(directives, rule.set(used));
    } else if (!applyPlain(directives, word)) return { unknown: word };
  }
  return directives;
}

function applyPlain(directives: Directives, word: string): boolean {
  const [, name = "", digits] = countPattern.exec(word) ?? [];
  const count = lookUpOwn(counts, name);
  const usage = count
    ? { [count]: Math.min(Number(digits), MAX_TOKENS) }
    : lookUpOwn(usageWords, word);
  const other = lookUpOwn(plain, word);
  Object.assign(directives.usage, usage);
  Object.assign(directives, other);
  return usage !== undefined || other !== undefined;
}

function readNumber(text: string | undefined, min: number, max: number): number | null {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

/** Looks up a client's name without inherited properties. */
function lookUpOwn<Value>(table: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
